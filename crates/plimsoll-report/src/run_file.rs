//! `run.json`: the run with its answer in words, once per language.

use plimsoll_core::run::{Run, RunFile, Sentences};

use crate::document::Headlines;
use crate::lang::Lang;

/// A run as its file has it; without sentences while it is going on.
pub fn run_file(run: &Run) -> RunFile<'_> {
    let has_answer = run.verdict.is_some() || run.check.is_some();
    let sentences = has_answer.then(|| Sentences {
        en: sentence(run, Lang::En),
        zh: sentence(run, Lang::Zh),
    });
    RunFile { run, sentences }
}

/// The answer of a run in a few sentences on one line.
pub fn sentence(run: &Run, lang: Lang) -> String {
    Headlines::of(run, lang).sentence(lang)
}
