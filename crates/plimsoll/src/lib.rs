//! The command `plimsoll`: arguments, plan, run, exit code. All of it is here, and not in the binary,
//! so that what fuzzes it can reach it; no other crate is meant to build on it.

mod background;
mod bench;
mod check;
mod cli;
mod exit;
mod fault;
mod find;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
#[cfg(test)]
mod hostile_tests;
mod limits;
mod machine;
mod measure;
mod output;
mod packaging;
mod plan;
mod proxy;
mod report;
mod secrets;
mod selftest;
mod signal;
mod sim;
mod store;
mod visible;

use std::io::Write;

use clap::error::ErrorKind;
use cli::{Cli, Command};
use exit::Exit;
use fault::{AskFault, Failure, UsageFault};
use plimsoll_report::lang::Lang;
use visible::Visible;

/// Runs the command line of this process, and returns its exit code.
pub fn main() -> std::process::ExitCode {
    let stop = signal::watch();
    let words = match cli::words(std::env::args_os()) {
        Ok(words) => words,
        Err(fault) => return ended(say(&fault.into(), cli::language(&[]))),
    };
    // Every stream is an open file; reports say how far the limit could be raised.
    let _ = machine::raise_open_files();
    let code = match bench_arguments(&words) {
        Some(rest) => bench::run(
            rest,
            cli::language(&[]),
            // Not locked for the whole run: a worker that panics must be able to say so.
            &mut Visible::new(std::io::stdout()),
            &mut Visible::new(std::io::stderr()),
            &|name| std::env::var(name).ok(),
            &|| stop.is_set(),
        ),
        None => command(&words, &stop),
    };
    drop(std::io::stdout().flush());
    // What could not be written is said by the exit code.
    let dies = code != Exit::Fault.code() && !is_server(&words);
    ended(
        Some(())
            .filter(|()| dies)
            .and_then(|()| stop.die())
            .unwrap_or(code),
    )
}

fn ended(code: i32) -> std::process::ExitCode {
    std::process::ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// A server runs until it is told to stop: that is its end, and no interruption.
fn is_server(words: &[String]) -> bool {
    words.get(1).is_some_and(|command| command == "sim")
}

/// `bench serve …` has a parser of its own: it follows the rules of the tool it stands in for.
fn bench_arguments(words: &[String]) -> Option<&[String]> {
    match words {
        [_, bench, serve, rest @ ..] if bench == "bench" && serve == "serve" => Some(rest),
        // There is one command to describe.
        [_, bench, rest @ ..]
            if bench == "bench" && rest.first().is_some_and(|word| is_a_question(word)) =>
        {
            Some(rest)
        }
        _ => None,
    }
}

fn is_a_question(word: &str) -> bool {
    matches!(word, "-h" | "--help")
}

fn command(words: &[String], stop: &signal::Stop) -> i32 {
    let words = &cli::with_negatives(words);
    let lang = cli::language(words);
    let cli = match Cli::parse_in(words, lang) {
        Ok(cli) => cli,
        Err(error) => return unread(error, words, lang),
    };
    let done = match cli.command {
        Command::Find(args) => find::run(&args, words, lang, stop),
        Command::Check(args) => check::run(&args, words, lang, stop),
        Command::Plan(args) => plan::run(&args, lang),
        Command::Report(args) => report::run(&args, lang),
        Command::Selftest(args) => selftest::run(&args, lang, stop),
        Command::Sim(args) => sim::run(&args, lang, stop),
        Command::Completions(args) => Ok(packaging::completions(&args, lang)),
        Command::Man(args) => Ok(packaging::man(&args, lang)),
        Command::Bench => Err(AskFault::BenchAlone.into()),
    };
    match done {
        Ok(exit) => exit.code(),
        Err(failure) => say(&failure, lang),
    }
}

/// A command line that asks for help, or makes no sense.
fn unread(error: clap::Error, words: &[String], lang: Lang) -> i32 {
    if let Some(failure) = cli::of_vllm(&error, words) {
        return say(&failure, lang);
    }
    let is_ours = lang == Lang::Zh && error.use_stderr() && !is_help(error.kind());
    if is_ours {
        return say(&UsageFault::from(error).into(), lang);
    }
    if error.use_stderr() {
        say_on_stderr(error.render().to_string().trim_end());
        return Exit::Usage.code();
    }
    // Help and version go to stdout and are no error; a closed pipe is none either.
    drop(error.print());
    Exit::Done.code()
}

/// Whether it is the help, which is in the language already.
fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

fn say(failure: &Failure, lang: Lang) -> i32 {
    say_on_stderr(&failure.words(lang));
    failure.exit.code()
}

/// Says a line. A terminal that is gone changes nothing of what it would say.
fn say_on_stderr(words: &str) {
    let mut err = Visible::new(std::io::stderr().lock());
    drop(writeln!(err, "{}", secrets::hidden(words)));
}
