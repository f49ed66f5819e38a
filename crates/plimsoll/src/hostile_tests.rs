//! No argument is a panic: every option of every command with values that nobody means. What is
//! refused is refused as a usage error; what is taken has a plan that can be shown.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::{bench, fuzz};

const HOSTILE: [&str; 36] = [
    "",
    " ",
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "+1",
    "00",
    "1e-300",
    "1e300",
    "1e999",
    "-1e300",
    "NaN",
    "inf",
    "-inf",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999h",
    "-1s",
    "0.0000000001us",
    "100%",
    "-5%",
    "1e-30%",
    "x",
    "\u{0}",
    "\u{1b}[31m",
    "\u{202e}abc",
    "\u{1F680}",
    "，。",
    ",,,",
    "a:b:c:d",
    "[::1",
    "{\"a\":",
];

/// Words without which a command says something else first.
fn before(command: &str) -> &'static [&'static str] {
    match command {
        "find" => &["h:1"],
        "check" => &["h:1", "--rate", "5"],
        "plan" => &["--cap", "8", "--request-time", "1s"],
        _ => &[],
    }
}

#[test]
fn no_value_of_an_option_is_a_panic() {
    let all = Cli::command();
    for command in all.get_subcommands() {
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long().filter(|_| arg.get_action().takes_values()) else {
                continue;
            };
            for value in HOSTILE {
                let name = command.get_name();
                let option = format!("--{long}={value}");
                let start = ["plimsoll", name]
                    .into_iter()
                    .chain(before(name).iter().copied());
                let line: Vec<String> = start.chain([option.as_str()]).map(str::to_owned).collect();
                fuzz::arguments(&line);
            }
        }
    }
}

/// The options of `bench serve` come from its own help.
#[test]
fn no_value_of_bench_serve_is_a_panic() {
    let help = bench::help();
    let words = help.split_whitespace();
    let options = words.filter(|word| word.starts_with("--") && word.len() > 3);
    for option in options {
        for value in HOSTILE {
            let line = [option, value, "--model", "m", "--num-prompts", "3"];
            bench::read(&line.map(str::to_owned));
            let joined = format!("{option}={value}");
            let line = [joined.as_str(), "--model", "m", "--num-prompts", "3"];
            bench::read(&line.map(str::to_owned));
        }
    }
}
