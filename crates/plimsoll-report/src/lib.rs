//! Turns a finished run into what people read: text and pictures, in English and Chinese.
//!
//! | module | what it makes |
//! |---|---|
//! | [`sentence`](mod@sentence) | the answer in a few sentences |
//! | [`table`] | the table of levels, and one line of it for live progress |
//! | [`notes`](mod@notes) | what the reader must know beside the answer |
//! | [`check`] | a load that was held, on a terminal |
//! | [`console`] | all of these on a terminal |
//! | [`repeat`] | several searches side by side |
//! | [`figures`](mod@figures) | the pictures of a run, as files |
//! | [`plot`] | a picture from points and marks |
//! | [`lang`] | the language of a report |
//! | [`load`] | the load of a level in words |
//!
//! `alarms`, `client` and `scaling` make notes of their own; `words`, `number` and `layout` hold the vocabulary, the formats of numbers, and widths in
//! terminal columns. Everything here takes a finished model and computes nothing but layout.

pub mod check;
pub mod console;
pub mod figures;
pub mod lang;
pub mod load;
pub mod notes;
pub mod plot;
pub mod repeat;
pub mod selftest;
pub mod sentence;
pub mod table;

mod alarms;
mod client;
mod history;
mod layout;
mod number;
mod scaling;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
