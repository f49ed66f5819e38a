//! Turns a finished run into what people read: text, files and pictures.

pub mod lang;
pub mod plot;
