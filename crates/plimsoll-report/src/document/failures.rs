//! Requests that failed: how many, in which way, and what was said of them.

use std::collections::BTreeMap;

use plimsoll_core::level::Alarm;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::run::Run;

use crate::lang::Lang;
use crate::number::{percent_up, so_many};
use crate::words;

/// The failures of a run, of all its levels from their start to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// All in one line.
    pub summary: String,
    /// One for each way, the commonest first.
    pub classes: Vec<Failure>,
}

/// One way in which requests failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its name for machines, as in the counts of a level: `http_429`.
    pub key: String,
    /// How many.
    pub count: u64,
    /// In words, with what the server or the transport said of one of them.
    pub text: String,
}

impl Failures {
    pub(super) fn of(run: &Run, lang: Lang) -> Self {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut said: BTreeMap<&str, &str> = BTreeMap::new();
        for level in &run.levels {
            for (key, count) in &level.requests.outcomes {
                *counts.entry(key).or_default() += count;
            }
            for (key, text) in &level.requests.said {
                said.entry(key).or_insert(text);
            }
        }
        let completed = counts.get("completed").copied().unwrap_or(0);
        let mut failed: Vec<(&str, u64)> = counts
            .into_iter()
            .filter(|(key, _)| Outcome::is_failure_key(key))
            .collect();
        failed.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let sum: u64 = failed.iter().map(|(_, count)| count).sum();
        let of = completed + sum;
        let classes = failed.into_iter().map(|(key, count)| Failure {
            key: key.to_owned(),
            count,
            text: class(key, (count, of), said.get(key).copied(), lang),
        });
        Self {
            summary: summary(sum, of, hangs(run), lang),
            classes: classes.collect(),
        }
    }
}

/// Whether some requests had no answer when a level ended: those are not counted here.
fn hangs(run: &Run) -> bool {
    let mut alarms = run.levels.iter().flat_map(|level| &level.alarms);
    alarms.any(|alarm| matches!(alarm, Alarm::Unanswered { .. }))
}

fn summary(failed: u64, of: u64, some_hang: bool, lang: Lang) -> String {
    if of == 0 {
        return lang.pick("Failures: none.", "失败：没有。").to_owned();
    }
    let requests = so_many(of, "request");
    let all = match (lang, some_hang) {
        (Lang::En, false) => requests,
        (Lang::En, true) => format!("{requests} that ended"),
        (Lang::Zh, false) => format!("{of} 个请求"),
        (Lang::Zh, true) => format!("已结束的 {of} 个请求"),
    };
    if failed == 0 {
        return lang.pick(
            format!("Failures: none of {all}."),
            format!("失败：{all}中没有。"),
        );
    }
    let share = percent_up(failed as f64 / of as f64);
    lang.pick(
        format!("Failures: {failed} of {all} ({share} %)."),
        format!("失败：{all}中有 {failed} 个（{share} %）。"),
    )
}

/// Whether the words that come with such a failure are the server's own.
fn is_servers(key: &str) -> bool {
    matches!(
        Outcome::from_key(key),
        Some(Outcome::HttpStatus { .. } | Outcome::ErrorEvent | Outcome::Malformed)
    )
}

/// Counts are of all levels from their start to their end, the share of all that ended there.
fn class(key: &str, (count, of): (u64, u64), said: Option<&str>, lang: Lang) -> String {
    let name = words::outcome(key, lang);
    let share = percent_up(count as f64 / of as f64);
    // What was not said by the server are English terms of the transport.
    let said = said.filter(|_| lang == Lang::En || is_servers(key));
    match (lang, said) {
        (Lang::En, Some(said)) => format!("{count} × {name} ({share} %): “{said}”"),
        (Lang::Zh, Some(said)) => format!("{count} 个 {name}（{share} %）：“{said}”"),
        (Lang::En, None) => format!("{count} × {name} ({share} %)"),
        (Lang::Zh, None) => format!("{count} 个 {name}（{share} %）"),
    }
}
