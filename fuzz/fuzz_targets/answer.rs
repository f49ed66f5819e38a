//! No bytes of a server make the reader of answers panic, however they are split, whatever the
//! protocol.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::protocol::{Answer, Protocol};
use plimsoll_core::time::Offset;

fuzz_target!(|input: (u8, Vec<Vec<u8>>)| {
    let (protocol, pieces) = input;
    let protocol = Protocol::ALL[usize::from(protocol) % Protocol::ALL.len()];
    let mut answer = Answer::new(protocol, true);
    for piece in &pieces {
        if answer.push(piece, Offset::ZERO).is_some() {
            return;
        }
    }
    let _ = answer.close(Offset::ZERO);
});
