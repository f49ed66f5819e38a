//! Chores of the project.
//!
//! | command | does |
//! |---|---|
//! | `cargo xtask schema [--check]` | writes the JSON Schema of the run file, or sees that it is in step |
//! | `cargo xtask pictures [--check]` | draws the pictures of docs/method.md, or sees that they are in step |
//! | `cargo xtask msrv` | whether the declared Rust version can still build this |
//! | `cargo xtask instructions` | counts the instructions of an output event (needs valgrind) |
//! | `cargo xtask bench [--peers DIR] [--rounds N] [--part PART]` | the load engine against its bounds and its peers |
//! | `cargo xtask soak [--minutes N] [--streams N]` | whether hours of load cost the client memory or its clock |

#![expect(clippy::print_stdout, reason = "chores tell people what they found")]

mod bench;
mod command;
mod evidence;
mod instructions;
mod json;
mod metronome;
mod msrv;
mod pictures;
mod schema;
mod soak;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["schema"] => schema::write(),
        ["schema", "--check"] => schema::check(),
        ["pictures"] => pictures::write(),
        ["pictures", "--check"] => pictures::check(),
        ["msrv"] => msrv::check(),
        ["instructions"] => instructions::check(),
        [instructions::READ_EVENTS, protocol, count] => instructions::read_events(protocol, count),
        ["bench", options @ ..] => bench::run(options),
        ["evidence", options @ ..] => evidence::run(options),
        ["soak", options @ ..] => soak::run(options),
        _ => bail!(
            "usage: cargo xtask schema [--check] | pictures [--check] | msrv | instructions | bench [--peers DIR] [--rounds N] [--part PART] | soak [--minutes N] [--streams N]"
        ),
    }
}
