//! No command line makes the command panic, and what is refused is refused as a usage error: a word a
//! line, behind the program's name.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|words: &str| {
    let line = std::iter::once("plimsoll").chain(words.lines());
    plimsoll::fuzz::arguments(&line.map(str::to_owned).collect::<Vec<_>>());
});
