//! Turns a finished run into what people read: text and pictures, in English and Chinese.
//!
//! | module | what it makes |
//! |---|---|
//! | [`document`] | a run as data without layout: the answer, what is doubtful, the levels, the details |
//! | [`console`] | a document on a terminal |
//! | [`markdown`] | a document as Markdown |
//! | [`csv`] | the levels of a document as CSV |
//! | [`run_file`](mod@run_file) | `run.json`, with the answer in a few sentences of each language |
//! | [`live`] | a level that has ended, as a line of live progress |
//! | [`check`] | a load that was held, on a terminal |
//! | [`dry_run`] | what a search would do, before it does |
//! | [`repeat`] | several searches side by side |
//! | [`figures`](mod@figures) | the pictures of a run, as files |
//! | [`capacity_plan`] | users, requests, servers and cost, with their formulas |
//! | [`plot`] | a picture from points and marks |
//! | [`lang`] | the language of a report |
//! | [`least`] | what a pass takes at least, said before the load |
//! | [`load`] | the load of a level in words |
//!
//! `notes`, `answers`, `alarms`, `history`, `client` and `scaling` make the sentences of a document; `tiers`
//! compares several SLOs; [`words`] has the words for what the core says as data, `number` the formats
//! of numbers, `layout` the widths in terminal columns. Everything here takes a finished model; what is
//! computed is which figures are shown, and how.

pub mod capacity_plan;
pub mod check;
pub mod console;
pub mod csv;
pub mod document;
pub mod dry_run;
pub mod figures;
pub mod lang;
pub mod least;
pub mod live;
pub mod load;
pub mod markdown;
pub mod plot;
pub mod repeat;
pub mod run_file;
pub mod selftest;
pub mod words;

pub use number::duration;

mod alarms;
mod answers;
mod client;
mod history;
mod layout;
mod lengths;
mod notes;
mod number;
mod scaling;
mod signals;
mod tiers;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
