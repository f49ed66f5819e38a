//! The arguments of a command as they were typed: what a run keeps of them for its reader, and which
//! of them were typed at all.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use plimsoll_load::target::shown_address;

use super::Cli;
use super::body::without_dots;
use crate::fault::{AskFault, Failure, UsageFault};

/// Where a run is, and how it is shown: no part of what was asked for.
pub(crate) const OF_THE_CALL: [&str; 11] = [
    "out",
    "resume",
    "from",
    "repeat",
    "lang",
    "json",
    "details",
    "quiet",
    "wait",
    "yes",
    "max_failures",
];
/// May hold a password or a key.
const SECRET: [&str; 2] = ["proxy", "header"];

/// The arguments behind `plimsoll COMMAND`.
pub(crate) struct Typed {
    command: Command,
    matches: ArgMatches,
}

impl Typed {
    /// Reads a whole command line: the program, the command, and its arguments.
    pub(crate) fn read(line: &[String]) -> Result<Self, Failure> {
        let all = Cli::command();
        let matches = all
            .clone()
            .try_get_matches_from(without_dots(line))
            .map_err(UsageFault::from)?;
        let found = matches
            .subcommand()
            .and_then(|(name, matches)| Some((all.find_subcommand(name)?, matches)));
        let (command, matches) = found.ok_or(AskFault::NoCommand)?;
        Ok(Self {
            command: command.clone(),
            matches: matches.clone(),
        })
    }

    /// What a run saves of them: all that was typed but secrets and what is of this call alone.
    pub(crate) fn saved(&self) -> Vec<String> {
        let kept = |arg: &&Arg| !is_one_of(&OF_THE_CALL, arg) && !is_one_of(&SECRET, arg);
        self.all()
            .filter(kept)
            .flat_map(|arg| self.words(arg))
            .collect()
    }

    /// The first argument typed that is none of these, as it is written.
    pub(crate) fn other_than(&self, known: &[&str]) -> Option<String> {
        self.all().find(|arg| !is_one_of(known, arg)).map(name)
    }

    /// What was typed.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arg> {
        let is_typed = |arg: &&Arg| self.has(arg.get_id().as_str());
        self.command.get_arguments().filter(is_typed)
    }

    /// Whether the argument of this id was typed.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.matches.try_contains_id(id).is_ok_and(|has| has)
            && self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// The values of the argument of this id, one after another.
    pub(crate) fn values_of(&self, id: &str) -> Vec<String> {
        let mut all = self.all();
        let arg = all.find(|arg| arg.get_id() == id);
        arg.map(|arg| self.values(arg).concat()).unwrap_or_default()
    }

    /// The values of an argument, by occurrence.
    pub(crate) fn values(&self, arg: &Arg) -> Vec<Vec<String>> {
        let found = self.matches.try_get_raw_occurrences(arg.get_id().as_str());
        let text = |value: &std::ffi::OsStr| value.to_string_lossy().into_owned();
        found
            .ok()
            .flatten()
            .into_iter()
            .flatten()
            .map(|occurrence| occurrence.map(text).collect())
            .collect()
    }

    /// An argument as it is typed.
    fn words(&self, arg: &Arg) -> Vec<String> {
        let name = name(arg);
        if !arg.get_action().takes_values() {
            return vec![name];
        }
        let written = |values: Vec<String>| match (values.as_slice(), arg.is_positional()) {
            // The address may have a key in its query.
            (_, true) => values.iter().map(|one| shown_address(one)).collect(),
            ([one], false) => vec![format!("{name}={one}")],
            _ => [vec![name.clone()], values].concat(),
        };
        self.values(arg).into_iter().flat_map(written).collect()
    }
}

fn is_one_of(ids: &[&str], arg: &Arg) -> bool {
    ids.contains(&arg.get_id().as_str())
}

/// `--slo`, or `URL` for the one without a name.
pub(crate) fn name(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => arg.get_id().as_str().to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_saved_but_secrets_and_what_is_of_the_call() {
        let line = "find h:1?token=sesame --slo ttft_p95_<=_1s --slo success>=99% -q --no-keep-alive --seed 3 \
                    --proxy http://user:sesame@p:1 --lang zh --out x --source-ip 127.0.0.2 --header api-key:sesame --wait 1m \
                    --extra-body.a.b 5";
        let words = ["plimsoll"].into_iter().chain(line.split_whitespace());
        let line: Vec<String> = words.map(|word| word.replace('_', " ")).collect();
        let expected = [
            "h:1?token=***",
            "--slo=ttft p95 <= 1s",
            "--slo=success>=99%",
            "--no-keep-alive",
            "--seed=3",
            "--source-ip=127.0.0.2",
            "--extra-body=.a.b=5",
        ];
        let mut saved = Typed::read(&line).unwrap().saved();
        saved.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(saved, expected);
    }
}
