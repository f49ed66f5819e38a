//! What was typed. Parsing only validates; `find::plan` turns it into what it means.

mod body;
mod check;
mod common;
mod connect;
mod find;
mod packaging;
mod plan;
mod report;
mod selftest;
mod sim;
mod typed;
mod value;
mod vllm;
mod zh;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use plimsoll_report::lang::Lang;

use crate::fault::AskFault;
pub(crate) use body::BodyArgs;
pub(crate) use check::CheckArgs;
pub(crate) use common::{RequestArgs, ServerArgs, ShowArgs, SloArgs, ThinkArgs, WorkloadArgs};
pub(crate) use connect::{ConnectArgs, SecretText};
pub(crate) use find::FindArgs;
pub(crate) use packaging::{CompletionsArgs, ManArgs};
pub(crate) use plan::PlanArgs;
pub(crate) use report::{FormatArg, ReportArgs};
pub(crate) use selftest::SelftestArgs;
pub(crate) use sim::{EngineArgs, MetronomeArgs, Pace, SimArgs};
pub(crate) use typed::{OF_THE_CALL, Typed, name as argument_name};
pub(crate) use value::Budget;
pub(crate) use vllm::of_vllm;

/// Finds how many concurrent streams an LLM server carries within a service objective.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find how many concurrent streams a server carries.
    Find(Box<FindArgs>),
    /// Hold one load, and see whether it holds and what it takes.
    Check(Box<CheckArgs>),
    /// Turn streams into users, requests a day, servers and cost, or back.
    Plan(Box<PlanArgs>),
    /// Tell a run again: as text, Markdown, CSV or JSON, in English or Chinese.
    Report(ReportArgs),
    /// Run the built-in engine as an OpenAI-compatible server.
    Sim(Box<SimArgs>),
    /// Find out what this machine can drive, and how wrong its figures are.
    Selftest(Box<SelftestArgs>),
    /// Stand in for `vllm bench serve`: `plimsoll bench serve …`.
    #[command(disable_help_flag = true)]
    Bench,
    /// Print the script that completes commands and options in a shell.
    Completions(CompletionsArgs),
    /// Print a man page.
    Man(ManArgs),
}

/// A command line as text.
///
/// # Errors
/// An argument is not UTF-8.
pub(crate) fn words(line: impl Iterator<Item = OsString>) -> Result<Vec<String>, AskFault> {
    let word = |(place, word): (usize, OsString)| {
        word.into_string().map_err(|word| AskFault::NotUtf8 {
            place,
            shown: word.to_string_lossy().into_owned(),
        })
    };
    line.enumerate().map(word).collect()
}

/// A command line in which a value below 0 stands with its option, `--max-ttft=-1s`: alone it would be
/// taken for an option of its own, and not be refused for what it is.
pub(crate) fn with_negatives(words: &[String]) -> Vec<String> {
    let is_negative = |word: &str| {
        let digits = word.strip_prefix('-');
        digits.is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit() || one == '.'))
    };
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(option)
                if is_negative(word) && option.starts_with("--") && !option.contains('=') =>
            {
                option.push('=');
                option.push_str(word);
            }
            _ => joined.push(word.clone()),
        }
    }
    joined
}

impl Cli {
    /// Parses the arguments; help and errors speak `lang` where they are ours.
    pub(crate) fn parse_in(argv: &[String], lang: Lang) -> Result<Self, clap::Error> {
        let argv = body::without_dots(argv);
        Self::from_arg_matches(&Self::command_in(lang).try_get_matches_from(argv)?)
    }

    /// The commands and their arguments, described in `lang`.
    pub(crate) fn command_in(lang: Lang) -> clap::Command {
        match lang {
            Lang::En => Self::command(),
            Lang::Zh => zh::translate(Self::command()),
        }
    }
}

/// The language to speak: `--lang` if it says, else the locale. Looked up before the arguments
/// are parsed, since help is shown in it.
pub(crate) fn language(argv: &[String]) -> Lang {
    let value = argv
        .iter()
        .enumerate()
        .find_map(|(i, word)| match word.strip_prefix("--lang") {
            Some("") => argv.get(i + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        });
    match value {
        Some("zh") => Lang::Zh,
        Some("en") => Lang::En,
        _ => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty());
            Lang::from_locale(&locale.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(name: &str, lang: Lang) -> String {
        let argv = ["plimsoll", name, "--help"].map(str::to_owned);
        Cli::parse_in(&argv, lang).unwrap_err().to_string()
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_in_both_languages() {
        for (name, lang, tag) in [
            ("find", Lang::En, "find_en"),
            ("find", Lang::Zh, "find_zh"),
            ("check", Lang::En, "check_en"),
            ("check", Lang::Zh, "check_zh"),
            ("plan", Lang::En, "plan_en"),
            ("plan", Lang::Zh, "plan_zh"),
            ("report", Lang::En, "report_en"),
            ("report", Lang::Zh, "report_zh"),
            ("sim", Lang::En, "sim_en"),
            ("sim", Lang::Zh, "sim_zh"),
            ("selftest", Lang::En, "selftest_en"),
            ("selftest", Lang::Zh, "selftest_zh"),
        ] {
            insta::assert_snapshot!(tag, help(name, lang));
        }
    }

    #[test]
    fn a_value_below_0_stands_with_its_option() {
        for (typed, joined) in [
            ("--max-ttft -1s --json", "--max-ttft=-1s --json"),
            ("--rate -.5 h:1", "--rate=-.5 h:1"),
            ("--seed=1 -2", "--seed=1 -2"),
            ("-q -3", "-q -3"),
            ("h:1 --json", "h:1 --json"),
        ] {
            let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            assert_eq!(with_negatives(&words).join(" "), joined);
        }
    }

    #[test]
    fn the_language_is_taken_from_the_arguments_first() {
        let argv = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            language(&argv(&["plimsoll", "find", "--lang", "zh"])),
            Lang::Zh
        );
        assert_eq!(
            language(&argv(&["plimsoll", "find", "--lang=en"])),
            Lang::En
        );
    }
}
