//! The table of `docs/robustness.md`, written from the modes.

use std::fmt::Write as _;
use std::path::Path;

use super::mode::{Made, Mode};
use super::modes;

/// Between these lines the table stands.
const BEGINS: &str = "<!-- modes -->";
const ENDS: &str = "<!-- end of modes -->";

#[test]
fn the_table_of_the_documentation_is_that_of_the_modes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/robustness.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGINS).unwrap();
    let (_, after) = rest.split_once(ENDS).unwrap();
    let written = [before, BEGINS, "\n", &table(&modes()), ENDS, after].concat();
    if std::env::var_os("PLIMSOLL_WRITE_TABLES").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    assert!(
        text == written,
        "PLIMSOLL_WRITE_TABLES=1 cargo test --test cases table writes docs/robustness.md anew"
    );
}

fn table(modes: &[Mode]) -> String {
    let mut table =
        "| mode | what the server does | what is made of it |\n|---|---|---|\n".to_owned();
    for mode in modes {
        let made = match mode.made {
            Made::Answer => "an answer".to_owned(),
            Made::Failure(outcome) => format!("a failure: `{outcome}`"),
            Made::Refusal => "exit 2 or 4 before the load".to_owned(),
        };
        writeln!(table, "| `{}` | {} | {made} |", mode.name, mode.does).unwrap();
    }
    table
}
