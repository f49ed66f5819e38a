//! A case: a scripted server, the command lines that meet it, and what is right.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ask::Ask;
use super::right::Right;
use super::say::Say;
use super::server::{Counts, Script, Server};
use super::told::{BENCH_FILE, RUN_FOLDER, Told};

/// How many cases run at once: they wait for most of their time.
const AT_ONCE: usize = 4;
/// A command that takes longer hangs, on however busy a machine; it is ended, and the case fails.
const PATIENCE: Duration = Duration::from_secs(120);
/// Requests that `bench serve` sends.
const BENCH_REQUESTS: &str = "6";

/// Which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Check,
    Find,
    Bench,
}

/// A command line, and what is right to say.
pub(crate) struct Line {
    command: Command,
    /// What follows the address of the server.
    path: &'static str,
    arguments: Vec<String>,
    environment: BTreeMap<&'static str, &'static str>,
    /// Name and text of a file in the folder that the command runs in.
    file: Option<(&'static str, &'static str)>,
    rights: Vec<Right>,
    /// Address space that it may have, MB.
    most_mb: Option<u64>,
}

/// `check`: two streams for a second, of 16 tokens in and 20 out; what is given later wins.
pub(crate) fn check() -> Line {
    let typed = "--concurrency 2 --for 1s --input-len 16 --output-len 20";
    Line::new(Command::Check).with(typed)
}

/// `check` of ten requests a second, for as long and as short ones.
pub(crate) fn check_rate() -> Line {
    Line::new(Command::Check).with("--rate 10 --for 1s --input-len 16 --output-len 20")
}

/// `find`: up to four streams in six seconds, of 16 tokens in and 20 out.
pub(crate) fn find() -> Line {
    let typed = "--max-concurrency 4 --budget 6s --no-confirm --input-len 16 --output-len 20";
    Line::new(Command::Find).with(typed)
}

/// `bench serve` on the chat API: six requests, two at once, of 16 tokens in and 20 out.
pub(crate) fn bench() -> Line {
    let typed = "--backend openai-chat --endpoint /v1/chat/completions --model m \
                 --max-concurrency 2 --random-input-len 16 --random-output-len 20";
    Line::new(Command::Bench).with(typed)
}

impl Line {
    fn new(command: Command) -> Self {
        Self {
            command,
            path: "",
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            file: None,
            rights: Vec::new(),
            most_mb: None,
        }
    }

    /// Limits its address space, MB: what needs more is aborted.
    pub(crate) fn memory_mb(self, most_mb: u64) -> Self {
        Self {
            most_mb: Some(most_mb),
            ..self
        }
    }

    /// Adds arguments, with spaces between them; an option that stood there already gets this value.
    pub(crate) fn with(mut self, typed: &str) -> Self {
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut rest = words.as_slice();
        while let [name, more @ ..] = rest {
            let values = more.iter().take_while(|word| !word.starts_with("--"));
            let count = values.count();
            self = self.option(name, more[..count].first().copied());
            rest = &more[count..];
        }
        self
    }

    /// Adds one option, whose value may have spaces.
    pub(crate) fn option(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(old) = self.arguments.iter().position(|word| word == name) {
            let has_value = self
                .arguments
                .get(old + 1)
                .is_some_and(|word| !word.starts_with("--"));
            drop(self.arguments.drain(old..=old + usize::from(has_value)));
        }
        self.arguments
            .extend([Some(name), value].into_iter().flatten().map(str::to_owned));
        self
    }

    /// Gives the address a path.
    pub(crate) fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        let _ = self.environment.insert(name, value);
        self
    }

    /// Puts a file into the folder that it runs in.
    pub(crate) fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.file = Some((name, text));
        self
    }

    /// What is right.
    pub(crate) fn is(mut self, rights: &[Right]) -> Self {
        self.rights.extend(rights);
        self
    }

    fn words(&self, address: &str) -> Vec<String> {
        let address = [address, self.path].concat();
        let own = match self.command {
            Command::Check => vec!["check", &address, "--out", RUN_FOLDER],
            Command::Find => vec!["find", &address, "--out", RUN_FOLDER],
            Command::Bench => vec!["bench", "serve", "--num-prompts", BENCH_REQUESTS],
        };
        let mut words: Vec<String> = own.into_iter().map(str::to_owned).collect();
        if self.command == Command::Bench {
            let saved = "--save-result --save-detailed --disable-tqdm --result-filename";
            words.extend(["--base-url".to_owned(), ["http://", &address].concat()]);
            words.extend(saved.split(' ').chain([BENCH_FILE]).map(str::to_owned));
        }
        words.extend(self.arguments.iter().cloned());
        words
    }

    /// Runs the command; what it told, with what the server has counted by then.
    fn run(&self, server: &Server) -> Told {
        let folder = tempfile::tempdir().unwrap();
        if let Some((name, text)) = self.file {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut command = self.program();
        for key in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_API_KEY"] {
            let _ = command.env_remove(key);
        }
        let output = command
            .args(self.words(&server.address))
            .env("LC_ALL", "C")
            .envs(&self.environment)
            .current_dir(&folder)
            .timeout(PATIENCE)
            .output()
            .unwrap();
        Told::read(&output, folder.path(), server.truth.now())
    }

    /// The program, as a shell starts it that has set its limit.
    fn program(&self) -> assert_cmd::Command {
        let Some(most_mb) = self.most_mb else {
            return assert_cmd::Command::new(binary());
        };
        let mut shell = assert_cmd::Command::new("sh");
        let _ = shell.args(["-c", "ulimit -v $0 && exec \"$@\""]);
        let _ = shell.arg((most_mb << 10).to_string()).arg(binary());
        shell
    }

    /// What is not as it should be; empty if all is right.
    fn faults(&self, server: &Server) -> String {
        let told = self.run(server);
        let is_wrong = |right: &&Right| !right.is_true_of(&told);
        let wrong: Vec<&Right> = self.rights.iter().filter(is_wrong).collect();
        if wrong.is_empty() {
            return String::new();
        }
        let words = self.words("ADDRESS").join(" ");
        let Told {
            code, text, ended, ..
        } = &told;
        let mut ends = BTreeMap::<String, usize>::new();
        for one in ended {
            let tokens = one.output_tokens.map(|count| format!(" {count} tokens"));
            let key = [one.outcome.as_str(), tokens.as_deref().unwrap_or_default()].concat();
            *ends.entry(key).or_default() += 1;
        }
        let Counts {
            generations,
            statuses,
            notes,
            ..
        } = &told.server;
        format!(
            "  plimsoll {words}\n  not true: {wrong:?}\n  exit {code:?}, ended: {ends:?}\n  \
             server: {generations} for text, statuses {statuses:?}, notes {:?}\n{text}\n",
            &notes[..notes.len().min(12)],
        )
    }
}

/// A server, what is asked of it, and what is right.
pub(crate) struct Case {
    name: &'static str,
    script: Script,
    lines: Vec<Line>,
    /// Whether all lines meet one server, which remembers those before.
    has_one_server: bool,
}

impl Case {
    /// Each line meets a server of its own.
    pub(crate) fn new(
        name: &'static str,
        script: impl Fn(&Ask, &mut Say<'_>) -> std::io::Result<()> + Send + Sync + 'static,
        lines: impl IntoIterator<Item = Line>,
    ) -> Self {
        Self {
            name,
            script: Arc::new(script),
            lines: lines.into_iter().collect(),
            has_one_server: false,
        }
    }

    /// All lines meet one server, one after another.
    pub(crate) fn of_one_server(mut self) -> Self {
        self.has_one_server = true;
        self
    }

    fn faults(&self) -> String {
        let start = || Server::start(Arc::clone(&self.script));
        let shared = self.has_one_server.then(start);
        let lines = self.lines.iter();
        lines
            .map(|line| match &shared {
                Some(server) => line.faults(server),
                None => line.faults(&start()),
            })
            .collect()
    }
}

/// The program that is tried: the one that was built with the tests, or another one, such as that of a
/// release, which is quicker with its pictures.
pub(crate) fn binary() -> PathBuf {
    let built = || assert_cmd::cargo::cargo_bin!("plimsoll").to_path_buf();
    std::env::var_os("PLIMSOLL_BIN").map_or_else(built, PathBuf::from)
}

/// Tries the cases of a room, some at once, and fails with all that is wrong in any of them.
pub(crate) fn try_all(cases: Vec<Case>) {
    let wrong = Mutex::new(String::new());
    let waiting = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let _ = scope.spawn(|| {
                while let Some(case) = next(&waiting) {
                    let faults = case.faults();
                    if !faults.is_empty() {
                        let mut wrong = wrong.lock().unwrap();
                        writeln!(wrong, "\ncase {}:\n{faults}", case.name).unwrap();
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong}");
}

fn next(waiting: &Mutex<std::vec::IntoIter<Case>>) -> Option<Case> {
    waiting.lock().unwrap().next()
}
