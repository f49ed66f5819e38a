//! The arguments of `find` as they were typed: what a run saves of them, and what may be typed anew
//! when it goes on.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::cli::{Cli, FindArgs};
use crate::exit::Failure;
use crate::fault::UsageFault;

/// Where a run is, and how it is shown: no part of what was asked for.
const OF_THE_CALL: [&str; 7] = ["out", "resume", "from", "repeat", "lang", "json", "quiet"];
/// May hold a password.
const SECRET: [&str; 1] = ["proxy"];
/// May be typed anew when a run goes on, as everything about the connection may.
const FREE: [&str; 1] = ["api_key_env"];
const CONNECTION: &str = "Connection";

/// The arguments behind `plimsoll find`.
pub(super) struct Words {
    command: Command,
    matches: ArgMatches,
}

impl Words {
    /// Reads a whole command line: the program, `find`, and its arguments.
    pub(super) fn read(line: &[String]) -> Result<Self, Failure> {
        let no_find = || Failure::usage("no arguments of `find`");
        let matches = Cli::command()
            .try_get_matches_from(line)
            .map_err(UsageFault::from)?;
        let matches = matches.subcommand_matches("find").ok_or_else(no_find)?;
        let command = Cli::command();
        let command = command.find_subcommand("find").ok_or_else(no_find)?;
        Ok(Self {
            command: command.clone(),
            matches: matches.clone(),
        })
    }

    /// Reads the words that a run has saved.
    pub(super) fn of_saved(saved: &[String]) -> Result<Self, Failure> {
        let start = ["plimsoll", "find"].map(str::to_owned);
        Self::read(&[start.as_slice(), saved].concat())
    }

    /// What they mean.
    pub(super) fn meaning(&self) -> Result<FindArgs, Failure> {
        Ok(FindArgs::from_arg_matches(&self.matches).map_err(UsageFault::from)?)
    }

    /// What a run saves of them: all that was typed but secrets and what is of this call alone.
    pub(super) fn saved(&self) -> Vec<String> {
        let kept = |arg: &&Arg| !is_one_of(&OF_THE_CALL, arg) && !is_one_of(&SECRET, arg);
        self.typed()
            .filter(kept)
            .flat_map(|arg| self.words(arg))
            .collect()
    }

    /// These words of a saved run, with those that were typed anew in their place.
    ///
    /// # Errors
    /// Something was typed that the run was not begun with.
    pub(super) fn with(&self, anew: &Self) -> Result<Self, Failure> {
        let free = |arg: &Arg| {
            is_one_of(&FREE, arg)
                || is_one_of(&OF_THE_CALL, arg)
                || arg.get_help_heading() == Some(CONNECTION)
        };
        if let Some(arg) = anew
            .typed()
            .find(|arg| !free(arg) && !self.agrees(anew, arg))
        {
            return Err(self.contradiction(anew, arg));
        }
        let is_new = |arg: &&Arg| anew.is_typed(arg) && free(arg) && !is_one_of(&OF_THE_CALL, arg);
        let old = self.typed().filter(|arg| !is_new(arg));
        let old = old.flat_map(|arg| self.words(arg));
        let new = anew.typed().filter(is_new);
        let words: Vec<String> = old.chain(new.flat_map(|arg| anew.words(arg))).collect();
        Self::of_saved(&words)
    }

    /// These words for a run of its own with another seed.
    pub(super) fn with_seed(&self, seed: u64) -> Result<Self, Failure> {
        let other = |arg: &&Arg| !is_one_of(&OF_THE_CALL, arg) && arg.get_id() != "seed";
        let words = self.typed().filter(other).flat_map(|arg| self.words(arg));
        let words: Vec<String> = words.chain([format!("--seed={seed}")]).collect();
        Self::of_saved(&words)
    }

    /// The first argument typed that is none of these, as it is written.
    pub(super) fn other_than(&self, known: &[&str]) -> Option<String> {
        self.typed().find(|arg| !is_one_of(known, arg)).map(name)
    }

    fn typed(&self) -> impl Iterator<Item = &Arg> {
        self.command
            .get_arguments()
            .filter(|arg| self.is_typed(arg))
    }

    fn is_typed(&self, arg: &Arg) -> bool {
        let id = arg.get_id().as_str();
        self.matches.try_contains_id(id).is_ok_and(|has| has)
            && self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// Whether both say the same, be it by a default.
    fn agrees(&self, anew: &Self, arg: &Arg) -> bool {
        let plain = |words: &Self| words.values(arg).concat().join("\n").replace(' ', "");
        plain(self) == plain(anew)
    }

    fn contradiction(&self, anew: &Self, arg: &Arg) -> Failure {
        let values = |words: &Self| words.values(arg).concat().join(" ");
        let (then, now) = (values(self), values(anew));
        let name = name(arg);
        let was = if then.is_empty() || !arg.get_action().takes_values() {
            format!("`{name}` was not given when the run began")
        } else {
            format!("`{name}` is {then} in the saved run, not {now}")
        };
        Failure::usage(was).hint(format!(
            "leave `{name}` away: a run goes on as it began; what may change is how the server is \
             reached, such as --connect-to and --proxy"
        ))
    }

    /// The values of an argument, by occurrence.
    fn values(&self, arg: &Arg) -> Vec<Vec<String>> {
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
            (_, true) => values,
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
fn name(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => arg.get_id().as_str().to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Words {
        let typed = format!("plimsoll find {line}");
        let typed: Vec<String> = typed
            .split(' ')
            .map(|word| word.replace('_', " "))
            .collect();
        Words::read(&typed).unwrap()
    }

    #[test]
    fn what_was_typed_is_saved_but_secrets_and_what_is_of_the_call() {
        let line = "h:1 --slo ttft_p95_<=_1s --slo success>=99% -q --no-keep-alive --seed 3 \
                    --proxy http://user:sesame@p:1 --lang zh --out x --source-ip 127.0.0.2";
        let saved = words(line).saved();
        let expected = [
            "h:1",
            "--slo=ttft p95 <= 1s",
            "--slo=success>=99%",
            "--no-keep-alive",
            "--seed=3",
            "--source-ip=127.0.0.2",
        ];
        assert_eq!(saved, expected);
        assert_eq!(Words::of_saved(&saved).unwrap().saved(), saved);
    }

    #[test]
    fn the_connection_may_be_typed_anew_and_the_plan_only_alike() {
        let saved = words("h:1 --slo ttft_p95_<=_1s --cacert old.pem --source-ip 127.0.0.2");
        let anew = words("h:1 --resume d --slo ttft_p95<=1s --cacert new.pem --budget 15m");
        let goes_on = saved.with(&anew).unwrap();
        let expected = [
            "h:1",
            "--slo=ttft p95 <= 1s",
            "--source-ip=127.0.0.2",
            "--cacert=new.pem",
        ];
        let mut found = goes_on.saved();
        found.sort();
        let mut expected = expected.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(found, expected);
        for (line, named) in [
            ("--resume d --seed 4", "`--seed` is 0"),
            ("--resume d --slo ttft_p95<=2s", "`--slo` is ttft p95 <= 1s"),
            ("h:2 --resume d", "`URL` is h:1"),
            ("--resume d --no-requests", "`--no-requests` was not given"),
            ("--resume d --model m", "`--model` was not given"),
        ] {
            let refused = saved.with(&words(line)).err().unwrap().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }

    #[test]
    fn a_run_among_several_has_its_own_seed_and_the_same_way_to_the_server() {
        let one = words("h:1 --seed 3 --repeat 2 --proxy http://user:sesame@p:1 --out x");
        let next = one.with_seed(4).unwrap();
        assert_eq!(next.saved(), ["h:1", "--seed=4"]);
        assert!(next.typed().any(|arg| arg.get_id() == "proxy"));
    }
}
