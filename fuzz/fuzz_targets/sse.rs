//! Any split of the same bytes gives the same events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::wire::{SseEvent, SseParser};

fn events(pieces: &[&[u8]]) -> Vec<(bool, Vec<u8>)> {
    let mut parser = SseParser::new();
    let mut found = Vec::new();
    for piece in pieces {
        parser.push(piece, &mut |event| {
            found.push(match event {
                SseEvent::Data(data) => (false, data.to_vec()),
                SseEvent::Error(data) => (true, data.to_vec()),
            });
        });
    }
    found
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (left, right) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    assert_eq!(events(&[bytes]), events(&[left, right]));
});
