//! Any split of the same bytes gives the same lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::wire::NdjsonParser;

fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut parser = NdjsonParser::new();
    let mut found = Vec::new();
    let mut keep = |line: &[u8]| found.push(line.to_vec());
    for piece in pieces {
        parser.push(piece, &mut keep);
    }
    parser.end(&mut keep);
    found
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (left, right) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    assert_eq!(lines(&[bytes]), lines(&[left, right]));
});
