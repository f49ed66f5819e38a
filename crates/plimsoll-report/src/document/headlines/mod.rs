//! The answer in a few lines, in the order in which somebody acts on it.

mod limit;
mod set;
mod valid;
mod why;

use plimsoll_core::check::{Check, CheckVerdict};
use plimsoll_core::level::Load;
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::Run;
use plimsoll_core::verdict::{Verdict, VerdictKind};

pub(super) use valid::title;

use crate::check;
use crate::lang::Lang;
use crate::layout;
use crate::load::load_text;

/// How much is known, for a sign or a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The limit was found.
    Found,
    /// The limit lies above all that was tested.
    AtLeast,
    /// Not even the lowest load meets the objectives.
    NotMet,
    /// The data do not tell.
    NotKnown,
}

/// What a line of the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadlineKind {
    /// What to set in production.
    Set,
    /// The mean load to plan for.
    Plan,
    /// Whether the load that was held holds.
    Holds,
    /// How many streams that rate takes, or which rate those streams make.
    Takes,
    /// How far the server goes, and what breaks beyond.
    Limit,
    /// Which limit binds, and what to change.
    Why,
    /// What would bring an answer where there is none.
    Next,
    /// What the answer was measured with.
    ValidFor,
}

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// What it says.
    pub kind: HeadlineKind,
    /// Its name for people.
    pub label: &'static str,
    /// One or two short sentences, without a full stop at the end.
    pub text: String,
}

/// The answer of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headlines {
    /// How much is known.
    pub standing: Standing,
    /// What to do first, then why, then for what.
    pub lines: Vec<Headline>,
}

impl Headlines {
    /// The answer of a run; of one that has none yet, what it is a run of.
    pub(crate) fn of(run: &Run, lang: Lang) -> Self {
        if let Some(check) = Check::of(run) {
            return Self::of_check(check, lang);
        }
        let Some(verdict) = &run.verdict else {
            return Self::of_nothing(run, lang);
        };
        let teller = Teller { run, verdict, lang };
        let lines = [
            (HeadlineKind::Set, Some(teller.set())),
            (HeadlineKind::Plan, teller.plan()),
            (HeadlineKind::Limit, Some(teller.limit())),
            (HeadlineKind::Why, teller.why()),
            (HeadlineKind::Next, teller.next()),
            (HeadlineKind::ValidFor, Some(valid::valid_for(run, lang))),
        ];
        Self {
            standing: standing(verdict),
            lines: told(lines, run, lang),
        }
    }

    /// All lines one after the other: `Limit: 57 streams (…). Why: …`.
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        let (colon, stop, between) = lang.pick((": ", ".", " "), ("：", "。", ""));
        let lines = self.lines.iter();
        let lines: Vec<String> = lines
            .map(|line| {
                format!(
                    "{}{colon}{}{stop}",
                    layout::capitalised(&line.label.to_lowercase()),
                    line.text
                )
            })
            .collect();
        lines.join(between)
    }

    /// The answer of a load that was held.
    fn of_check(check: Check<'_>, lang: Lang) -> Self {
        let lines = [
            (HeadlineKind::Holds, Some(check::verdict(check, lang))),
            (HeadlineKind::Takes, check::takes(check, lang)),
            (HeadlineKind::Why, check::cause(check, lang)),
            (
                HeadlineKind::ValidFor,
                Some(valid::valid_for(check.run, lang)),
            ),
        ];
        Self {
            standing: match check.answer.verdict {
                CheckVerdict::Holds | CheckVerdict::NotContradicted => Standing::Found,
                CheckVerdict::Broken | CheckVerdict::Unstable => Standing::NotMet,
                CheckVerdict::Inconclusive | CheckVerdict::Void | CheckVerdict::ServerGone => {
                    Standing::NotKnown
                }
            },
            lines: told(lines, check.run, lang),
        }
    }

    fn of_nothing(run: &Run, lang: Lang) -> Self {
        let text = lang.pick("the run has no answer yet", "测试尚未得出结论");
        let lines = [
            (HeadlineKind::Set, Some(text.to_owned())),
            (HeadlineKind::ValidFor, Some(valid::valid_for(run, lang))),
        ];
        Self {
            standing: Standing::NotKnown,
            lines: told(lines, run, lang),
        }
    }
}

/// The lines that have something to say.
fn told<const N: usize>(
    lines: [(HeadlineKind, Option<String>); N],
    run: &Run,
    lang: Lang,
) -> Vec<Headline> {
    let lines = lines.into_iter().filter_map(|(kind, text)| {
        Some(Headline {
            kind,
            label: label(kind, run, lang),
            text: text?,
        })
    });
    lines.collect()
}

/// The planned mean is counted as the loads are.
fn mean_zh(run: &Run) -> &'static str {
    match run.plan.unit() {
        LoadUnit::RatePerS => "平均速率",
        LoadUnit::Streams | LoadUnit::Users => "平均并发",
    }
}

fn label(kind: HeadlineKind, run: &Run, lang: Lang) -> &'static str {
    match kind {
        HeadlineKind::Set => lang.pick("SET THE GATEWAY TO", "网关上限"),
        HeadlineKind::Plan => lang.pick("PLAN FOR", mean_zh(run)),
        HeadlineKind::Holds => lang.pick("ANSWER", "结论"),
        HeadlineKind::Takes => lang.pick("IT TAKES", "所需"),
        HeadlineKind::Limit => lang.pick("LIMIT", "容量"),
        HeadlineKind::Why => lang.pick("WHY", "原因"),
        HeadlineKind::Next => lang.pick("DO NEXT", "下一步"),
        HeadlineKind::ValidFor => lang.pick("VALID FOR", "适用范围"),
    }
}

fn standing(verdict: &Verdict) -> Standing {
    match (verdict.kind, verdict.answer()) {
        (VerdictKind::BelowFirst, _) => Standing::NotMet,
        (VerdictKind::Inconclusive | VerdictKind::ServerGone, _) | (_, None) => Standing::NotKnown,
        (VerdictKind::AboveLast | VerdictKind::ClientLimited, Some(_)) => Standing::AtLeast,
        (
            VerdictKind::Capacity
            | VerdictKind::DiminishingReturns
            | VerdictKind::FullBatch
            | VerdictKind::NotMonotone
            | VerdictKind::ResourcesExhausted,
            Some(_),
        ) => Standing::Found,
    }
}

/// The load to set at the gateway, where there is one.
pub(super) fn load_to_set(run: &Run) -> Option<Load> {
    Some(run.verdict.as_ref()?.recommended?.cap)
}

/// Tells a verdict.
struct Teller<'a> {
    run: &'a Run,
    verdict: &'a Verdict,
    lang: Lang,
}

impl Teller<'_> {
    /// `57 streams`, `57 路`; users where streams think.
    fn load(&self, load: Load) -> String {
        match (load, self.run.plan.think_time_s) {
            (Load::Streams(1), Some(_)) => self.lang.pick("1 user", "1 名用户").to_owned(),
            (Load::Streams(users), Some(_)) => self
                .lang
                .pick(format!("{users} users"), format!("{users} 名用户")),
            _ => load_text(load, self.lang),
        }
    }
}
