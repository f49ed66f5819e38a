//! `check --dry-run` for people: what would be held, and what a pass costs.

use std::io::{self, Write};

use plimsoll_core::check::CheckDryRun;

use super::rows::{planned, row};
use super::write_rows;
use crate::dry_run::little;
use crate::lang::Lang;
use crate::layout;
use crate::number::in_thousands;
use crate::words;

/// Writes the plan for a terminal of `width` columns.
pub fn render_dry_run(
    dry: &CheckDryRun,
    lang: Lang,
    width: u16,
    w: &mut dyn Write,
) -> io::Result<()> {
    let columns = usize::from(width);
    let heading = lang.pick("Dry run: nothing was sent.", "仅预览：没有发送任何请求。");
    writeln!(w, "{heading}\n")?;
    let mut rows = vec![row(("Server", "服务端"), dry.plan.target.clone(), lang)];
    rows.extend(planned(&dry.plan, &dry.hold, None, lang));
    rows.extend(dry.requests.map(|requests| {
        let count = in_thousands(requests as f64);
        let text = match dry.hold.until_requests {
            Some(_) => count,
            None => lang.pick(format!("about {count}"), format!("约 {count}")),
        };
        row(("Requests", "请求数"), text, lang)
    }));
    let passes = passes(dry, lang);
    rows.extend(passes.map(|text| row(("A pass", "判定达标"), text, lang)));
    write_rows(&rows, columns, w)?;
    for note in notes(dry, lang) {
        writeln!(w)?;
        layout::hang("- ", &note, columns, w)?;
    }
    Ok(())
}

fn passes(dry: &CheckDryRun, lang: Lang) -> Option<String> {
    let parts: Vec<String> = dry
        .passes
        .iter()
        .filter_map(|one| {
            let (objective, requests) = (words::objective(&one.objective, lang), one.requests?);
            Some(lang.pick(
                format!("{objective}: {requests} requests"),
                format!("{objective}：{requests} 个请求"),
            ))
        })
        .collect();
    let all = parts.join(lang.pick("; ", "；"));
    (!parts.is_empty()).then(|| {
        lang.pick(
            format!("takes at least, with none over its bound: {all}"),
            format!("即使无一超限也至少需要：{all}"),
        )
    })
}

fn notes(dry: &CheckDryRun, lang: Lang) -> impl Iterator<Item = String> {
    let too_short = dry.is_too_short().then(|| {
        lang.pick(
            "Too short for a pass: the best that it can say is that nothing contradicts the \
             objectives. Hold it longer with --for for more.",
            "时间太短，不足以判定达标：最多只能说“未见反证”。要判定达标，请用 --for 延长。",
        )
        .to_owned()
    });
    let leaves = dry.leaves.map(|leaves| little(&leaves, lang));
    too_short.into_iter().chain(leaves)
}

#[cfg(test)]
mod tests {
    use plimsoll_core::level::Load;
    use plimsoll_core::preset::Preset;
    use plimsoll_core::run::{HoldPlan, RunPlan};

    use super::*;
    use crate::check::before;
    use crate::fixture;

    fn hold(load: Load) -> HoldPlan {
        HoldPlan {
            load,
            most_in_flight: None,
            burstiness: Some(1.0),
            for_s: 600.0,
            until_requests: None,
            fails_fast: false,
        }
    }

    fn text(plan: &RunPlan, hold: &HoldPlan) -> String {
        let mut out = Vec::new();
        for lang in [Lang::En, Lang::Zh] {
            render_dry_run(&CheckDryRun::of(plan, hold), lang, 80, &mut out).unwrap();
            writeln!(out, "\n{}\n", before(plan, hold, lang).join("\n")).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_quick_check_before_it_is_run() {
        let plan = RunPlan {
            preset: Some(Preset::Quick),
            ..fixture::capacity().plan
        };
        let quick = HoldPlan {
            until_requests: Some(50),
            ..hold(Load::Streams(10))
        };
        insta::assert_snapshot!(text(&plan, &quick));
    }

    #[test]
    fn a_cap_and_a_rate_that_contradict_each_other() {
        let plan = fixture::capacity().plan;
        let plan = RunPlan {
            workload: Some("guide:content".to_owned()),
            output_len: plan.output_len.with_mean(512),
            ..plan
        };
        let content = HoldPlan {
            most_in_flight: Some(200),
            for_s: 21.3,
            ..hold(Load::RatePerS(100.0))
        };
        insta::assert_snapshot!(text(&plan, &content));
    }

    #[test]
    fn users_who_think() {
        let users = RunPlan {
            think_time_s: Some(60.0),
            ..fixture::capacity().plan
        };
        insta::assert_snapshot!(text(&users, &hold(Load::Streams(400))));
    }
}
