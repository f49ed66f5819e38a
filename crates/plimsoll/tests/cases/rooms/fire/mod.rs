//! Under fire: servers that answer well for a while and then do harm. Each mode meets `check`, `find`
//! and `bench serve` (`just fire`; in CI not all of them); what is asserted of each is how requests end, the exit code, that the books
//! balance, and that the memory stays within its limit. The table of `docs/robustness.md` is written
//! from these modes.

mod books;
mod connection;
mod framing;
mod head;
mod mode;
mod page;
mod secrets;
mod stream;
mod table;
mod wire;

use super::super::case::try_all;
use mode::{Command, Mode};

/// All modes, in the order of the table.
fn modes() -> Vec<Mode> {
    [
        head::modes(),
        framing::modes(),
        connection::modes(),
        stream::modes(),
        page::modes(),
    ]
    .concat()
}

/// Of the modes, those that meet a command.
fn meet(modes: &[Mode], commands: &[Command]) {
    let cases = |mode: &Mode| {
        commands
            .iter()
            .map(|one| mode.case(*one))
            .collect::<Vec<_>>()
    };
    try_all(modes.iter().flat_map(cases).collect());
}

#[test]
#[ignore = "needs the release binary: `just cases`"]
fn every_third_mode_meets_check_and_every_tenth_the_others() {
    let every = |nth| modes().into_iter().step_by(nth).collect::<Vec<_>>();
    meet(&every(3), &[Command::Check]);
    meet(&every(10), &[Command::Find, Command::Bench]);
}

#[test]
#[ignore = "takes some minutes: `just fire`"]
fn every_mode_meets_every_command() {
    let modes = modes();
    assert!(modes.len() >= 120, "{}", modes.len());
    meet(&modes, &[Command::Check, Command::Find, Command::Bench]);
}
