//! Secrets that a server answers with, and escapes that a terminal obeys: planted wherever a peer can
//! speak, and looked for in every byte that any command writes in any format.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use plimsoll_core::quote::has_unseen;
use serde_json::json;

use super::super::super::ask::Ask;
use super::super::super::case::binary;
use super::super::super::openai::{self, Pace};
use super::super::super::say::{EVENTS, Say};
use super::super::super::server::Server;

const KEY: &str = "sk-planted-Key-1";
const HEADER: &str = "planted-Header-2";
const QUERY: &str = "planted-Query-3";
const PASSWORD: &str = "planted-Login-4";

/// What follows the secrets: what a terminal obeys, what turns the direction, what is no character.
const ESCAPES: &str = "\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\u{61c}\u{2028}\u{ffff}";

/// Answers before a server speaks in the load; a preflight has some.
const GOOD: usize = 16;

/// Where a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    ModelName,
    ModelOwner,
    ModelsRefused,
    ModelsMoved,
    FirstRefused(u16),
    Refused(u16),
    RefusedInText,
    Moved,
    ErrorEvent,
    ErrorNamed,
    Malformed,
    Coding,
    Text,
    Metrics,
}

const PLACES: [Place; 17] = [
    Place::ModelName,
    Place::ModelOwner,
    Place::ModelsRefused,
    Place::ModelsMoved,
    Place::FirstRefused(400),
    Place::FirstRefused(401),
    Place::FirstRefused(404),
    Place::Refused(429),
    Place::Refused(500),
    Place::RefusedInText,
    Place::Moved,
    Place::ErrorEvent,
    Place::ErrorNamed,
    Place::Malformed,
    Place::Coding,
    Place::Text,
    Place::Metrics,
];

/// All that a request says of who asks.
fn echo(ask: &Ask) -> String {
    let header = |name| ask.header(name).unwrap_or_default();
    format!(
        "{} {} {}",
        header("authorization"),
        header("x-secret"),
        ask.target
    )
}

fn serve(place: Place, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let said = format!("{} {ESCAPES}", echo(ask));
    let error = json!({"error": {"message": said}});
    if ask.is_models() {
        let owner = if place == Place::ModelOwner {
            &said
        } else {
            "x"
        };
        return match place {
            // An echo alone: a name with escapes is refused.
            Place::ModelName => say.json(200, &openai::models(&[&format!("m-{}", echo(ask))])),
            Place::ModelsRefused => say.json(500, &error),
            Place::ModelsMoved => moved(say, ask),
            _ => say.json(200, &json!({"data": [{"id": "m", "owned_by": owner}]})),
        };
    }
    if !ask.is_generation() {
        let kind = "text/plain";
        let status = if place == Place::Metrics { 200 } else { 404 };
        return say.page(
            status,
            kind,
            &format!("vllm:num_requests_running 1\n{said}\n"),
        );
    }
    match place {
        Place::FirstRefused(status) => return say.json(status, &error),
        _ if ask.number <= GOOD => return openai::answer(ask, say, PACE),
        _ => {}
    }
    match place {
        Place::Refused(status) => say.json(status, &error),
        Place::RefusedInText => say.page(500, "text/plain", &said),
        Place::Moved => moved(say, ask),
        Place::Coding => {
            let coding = echo(ask);
            say.page_with(
                200,
                "text/event-stream",
                "x",
                &[("Content-Encoding", &coding)],
            )
        }
        Place::ErrorEvent | Place::ErrorNamed | Place::Malformed | Place::Text => {
            say.head(200, &EVENTS)?;
            match place {
                Place::ErrorEvent => say.event(&error)?,
                Place::ErrorNamed => say.body(format!("event: error\ndata: {}\n\n", echo(ask)))?,
                Place::Malformed => say.body(format!("data: oops {}\n\n", echo(ask)))?,
                _ => {
                    say.event(&openai::token(ask, &said))?;
                    say.event(&openai::finish(ask, "stop"))?;
                }
            }
            say.done()?;
            say.end()
        }
        _ => openai::answer(ask, say, PACE),
    }
}

fn moved(say: &mut Say<'_>, ask: &Ask) -> io::Result<()> {
    let to = format!(
        "http://elsewhere/{}?token={QUERY}",
        echo(ask).replace(' ', "-")
    );
    say.page_with(307, "text/plain", "", &[("Location", &to)])
}

const PACE: Pace = Pace {
    first_ms: 2,
    gap_ms: 1,
    tokens: None,
};

/// The command lines: with a key and a header, and with a login.
fn lines(address: &str) -> Vec<Vec<String>> {
    let load = "--input-len 16 --output-len 8 --slo success>=99%";
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let mut lines = vec![
        words(format!(
            "check {address}/?token={QUERY} --concurrency 2 --for 1s --out run {load}"
        )),
        words(format!(
            "check http://me:{PASSWORD}@{address} --concurrency 2 --for 1s --out run --details {load}"
        )),
        words(format!(
            "find {address}/?token={QUERY} --max-concurrency 2 --budget 2s --no-confirm --lang zh --out run {load}"
        )),
    ];
    for line in &mut lines {
        line.extend(["--header".to_owned(), format!("x-secret: {HEADER}")]);
    }
    lines.push(words(format!(
        "bench serve --backend openai --base-url http://{address}/?token={QUERY} --num-prompts 30 \
         --max-concurrency 2 --random-input-len 16 --random-output-len 8 --save-result \
         --save-detailed --result-dir run --header x-secret={HEADER}"
    )));
    lines
}

/// All formats of a report. One that joins stands here, or the test fails.
const FORMATS: [&str; 4] = ["csv", "json", "md", "text"];

/// What is wrong with the bytes of one line's run; empty if nothing is.
fn faults(place: Place, line: &[String]) -> String {
    let server = Server::start(Arc::new(move |ask: &Ask, say: &mut Say<'_>| {
        serve(place, ask, say)
    }));
    let folder = tempfile::tempdir().unwrap();
    let line: Vec<String> = line
        .iter()
        .map(|word| word.replace("ADDRESS", &server.address))
        .collect();
    let mut said = run(folder.path(), &line);
    if folder.path().join("run/run.json").exists() {
        for format in FORMATS {
            let report = ["report", "run", "--format", format].map(str::to_owned);
            said.extend(run(folder.path(), &report));
        }
    }
    said.extend(files(folder.path()));
    let wrong = said.iter().filter_map(|(name, bytes)| fault(name, bytes));
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() {
        return String::new();
    }
    format!("{place:?}, plimsoll {}: {wrong:#?}\n", line.join(" "))
}

/// What a command printed.
fn run(folder: &Path, line: &[String]) -> Vec<(String, Vec<u8>)> {
    let output = assert_cmd::Command::new(binary())
        .args(line)
        .env("OPENAI_API_KEY", KEY)
        .env("LC_ALL", "C.UTF-8")
        .current_dir(folder)
        .output()
        .unwrap();
    vec![
        ("stdout".to_owned(), output.stdout),
        ("stderr".to_owned(), output.stderr),
    ]
}

/// Every file below a folder, by its name, and its name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push(("a name".to_owned(), name.clone().into_bytes()));
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn fault(name: &str, bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let is_picture = Path::new(name)
        .extension()
        .is_some_and(|kind| kind == "png");
    for secret in [KEY, HEADER, QUERY, PASSWORD] {
        let login = format!("me:{secret}");
        let coded = [secret.to_owned(), login].map(|text| BASE64.encode(text));
        let coded = coded.each_ref().map(|text| text.trim_end_matches('='));
        let small = secret.to_lowercase();
        for form in [secret, &small, coded[0], coded[1]] {
            if text.contains(form) {
                return Some(format!("{name} shows {form}"));
            }
        }
    }
    let shown: String = text
        .chars()
        .filter(|c| !matches!(c, '\n' | '\t' | '\r'))
        .collect();
    (!is_picture && has_unseen(&shown)).then(|| format!("{name} has what does not show"))
}

/// Tries what is said at each place to each of these lines, some at once.
fn look_through(every: Vec<(Place, Vec<String>)>) {
    let next = Mutex::new(every.into_iter());
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let _ = scope.spawn(|| {
                loop {
                    let taken = next.lock().unwrap().next();
                    let Some((place, line)) = taken else { break };
                    let faults = faults(place, &line);
                    wrong.lock().unwrap().push_str(&faults);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
#[ignore = "needs the release binary: `just cases`"]
fn no_byte_that_is_written_has_a_secret_or_an_escape() {
    let lines = lines("ADDRESS");
    let each = PLACES.into_iter().zip(lines.into_iter().cycle());
    look_through(each.collect());
}

#[test]
#[ignore = "takes a minute: `just fire`"]
fn each_place_meets_every_command() {
    let every = PLACES
        .into_iter()
        .flat_map(|place| lines("ADDRESS").into_iter().map(move |line| (place, line)));
    look_through(every.collect());
}

#[test]
#[ignore = "needs the release binary: `just cases`"]
fn every_format_of_a_report_is_looked_through() {
    let help = run(Path::new("."), &["report".to_owned(), "--help".to_owned()]);
    let help = String::from_utf8(help[0].1.clone()).unwrap();
    let (_, rest) = help.split_once("--format").unwrap();
    let values = rest.split("--").next().unwrap().lines();
    let names = values.filter_map(|line| line.trim().strip_prefix("- "));
    let mut names: Vec<&str> = names.filter_map(|one| one.split(':').next()).collect();
    names.sort_unstable();
    assert_eq!(names, FORMATS, "{help}");
}
