//! The most common first runs: what somebody types first against the server that they have, and
//! the lines that the answer or the refusal must have. The servers speak on the wire as those do: their
//! events, lists of models, errors, and the names of their metrics.

mod busy;
mod gateway;
mod llama_cpp;
mod ollama;
mod sglang;
mod vendor;
mod vllm;

use std::io;

use super::ask::Ask;
use super::right::Right::{self, AllCompleted, Also, OutputAsAsked, Says, TtftFromMs};
use super::say::{EVENTS, Say, pause_ms};
use super::told::Told;

/// From a request to its first token.
const TO_FIRST_MS: u64 = 40;
const GAP_MS: u64 = 5;

/// The events of an answer, as the text of their payloads.
struct Events {
    /// Sent in one write with the first token.
    before: Option<String>,
    token: fn(usize) -> String,
    /// After the last token.
    after: Vec<String>,
}

/// Says so many tokens as a server of OpenAI's APIs does.
fn stream(say: &mut Say<'_>, tokens: usize, events: &Events) -> io::Result<()> {
    let event = |payload: &str| format!("data: {payload}\n\n");
    say.head(200, &EVENTS)?;
    pause_ms(TO_FIRST_MS);
    let mut held = events.before.as_deref().map(event).unwrap_or_default();
    for number in 0..tokens {
        if number > 0 {
            pause_ms(GAP_MS);
        }
        held.push_str(&event(&(events.token)(number)));
        say.body(std::mem::take(&mut held))?;
    }
    for payload in &events.after {
        say.body(event(payload))?;
    }
    say.done()?;
    say.end()
}

/// A page of metrics: each name with its value.
fn metrics(say: &mut Say<'_>, values: &[(&str, f64)]) -> io::Result<()> {
    let lines = values.iter().map(|(name, value)| {
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let labels = if labels.is_empty() {
            String::new()
        } else {
            ["{", labels].concat()
        };
        format!("# HELP {name} x\n# TYPE {name} gauge\n{name}{labels} {value:?}\n")
    });
    let page: String = lines.collect();
    say.page(200, "text/plain; version=0.0.4; charset=utf-8", &page)
}

/// What a server counts at this moment.
fn running(say: &Say<'_>) -> f64 {
    say.truth().now().in_flight as f64
}

/// Nothing is said against the server.
fn no_level_fails(told: &Told) -> bool {
    !told.run.is_null() && !told.has_a_fail()
}

/// Whether it is a request for text whose path ends so.
fn is_for(ask: &Ask, path: &str) -> bool {
    ask.method == "POST" && ask.path() == path
}

/// What `find` has to say of a server that answers as it is asked to; `server` is how it is named.
fn answered(server: &'static str) -> [Right; 7] {
    [
        AllCompleted,
        OutputAsAsked,
        TtftFromMs(TO_FIRST_MS as f64),
        Also(no_level_fails),
        Says(server),
        Says("16 in / 20 out"),
        Says("Failures: none of "),
    ]
}
