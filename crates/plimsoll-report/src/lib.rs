//! Turns a finished run into what people read: text and pictures, in English and Chinese.
//!
//! | module | what it makes |
//! |---|---|
//! | [`sentence`](mod@sentence) | the answer in a few sentences |
//! | [`table`] | the table of levels, and one line of it for live progress |
//! | [`notes`](mod@notes) | what the reader must know beside the answer |
//! | [`check`] | a load that was held, on a terminal |
//! | [`console`] | all of these on a terminal |
//! | [`dry_run`] | what a search would do, before it does |
//! | [`repeat`] | several searches side by side |
//! | [`figures`](mod@figures) | the pictures of a run, as files |
//! | [`capacity_plan`] | users, requests, servers and cost, with their formulas |
//! | [`plot`] | a picture from points and marks |
//! | [`lang`] | the language of a report |
//! | [`least`] | what a pass takes at least, said before the load |
//! | [`load`] | the load of a level in words |
//!
//! `alarms`, `client` and `scaling` make notes of their own; `tiers` compares several SLOs; [`words`]
//! has the words for what the core says as data, `number` the formats of numbers, `layout` the
//! widths in terminal columns. Everything here takes a finished model and computes nothing but layout.

pub mod capacity_plan;
pub mod check;
pub mod console;
pub mod dry_run;
pub mod figures;
pub mod lang;
pub mod least;
pub mod load;
pub mod notes;
pub mod plot;
pub mod repeat;
pub mod selftest;
pub mod sentence;
pub mod table;
pub mod words;

mod alarms;
mod client;
mod history;
mod layout;
mod lengths;
mod number;
mod scaling;
mod tiers;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
