//! No bytes of a server make the reader of answers panic, however they are split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::time::Offset;
use plimsoll_core::wire::Answer;

fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let mut answer = Answer::new(true);
    for piece in &pieces {
        if answer.push(piece, Offset::ZERO).is_some() {
            return;
        }
    }
    let _ = answer.close(Offset::ZERO);
});
