//! `find --dry-run` for people: what would be sent, how long it takes, what a pass costs.

use std::io::{self, Write};

use plimsoll_core::dry_run::{DryRun, Leaves, SHOWN_REQUEST_TIME_S, shown_rates};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::search::Ladder;

use crate::lang::Lang;
use crate::layout;
use crate::lengths::lengths;
use crate::load::{load_text, think_text};
use crate::number::{amount, duration, percent, plural, trimmed};
use crate::words;

/// Writes the plan for a terminal of `width` columns.
pub fn render(dry: &DryRun, lang: Lang, width: u16, w: &mut dyn Write) -> io::Result<()> {
    let columns = usize::from(width);
    let plan = &dry.plan;
    let heading = lang.pick("Dry run: nothing was sent.", "仅预览：没有发送任何请求。");
    writeln!(w, "{heading}\n")?;
    let rows = [
        (lang.pick("Server", "服务端"), plan.target.clone()),
        (
            lang.pick("Lengths", "长度"),
            lengths(
                plan.workload.as_deref(),
                (plan.input_len, plan.output_len),
                None,
                lang,
            ),
        ),
        (lang.pick("Objectives", "目标"), objectives(dry, lang)),
        (lang.pick("Stops", "停止条件"), stops(dry, lang)),
        (lang.pick("Loads", "负载档位"), loads(dry, lang)),
        (lang.pick("Time", "时间"), time(dry, lang)),
        (lang.pick("Goes on", "接着做"), goes_on(dry, lang)),
        (lang.pick("Repeats", "重复"), repeats(dry, lang)),
        (lang.pick("A pass", "判定达标"), passes(dry, lang)),
    ];
    let widest = rows.iter().map(|row| layout::width(row.0)).max();
    for (name, text) in rows.iter().filter(|row| !row.1.is_empty()) {
        let label = layout::left(name, widest.unwrap_or(0) + 2);
        layout::hang(&label, text, columns, w)?;
    }
    if let Some(leaves) = &dry.leaves {
        writeln!(w)?;
        layout::hang("- ", &little(leaves, lang), columns, w)?;
    }
    Ok(())
}

fn objectives(dry: &DryRun, lang: Lang) -> String {
    if !dry.search.tiers.is_empty() {
        return words::tiers(&dry.search.tiers, lang);
    }
    let slo = words::slo(&dry.plan.slo, lang);
    if dry.plan.slo_given {
        slo
    } else {
        lang.pick(
            format!("{slo} (default stop rules)"),
            format!("{slo}（默认停止规则）"),
        )
    }
}

/// The stop rules beside the objectives.
fn stops(dry: &DryRun, lang: Lang) -> String {
    if dry.plan.unit() == LoadUnit::RatePerS {
        let stops = lang.pick(
            "an objective breaks; or the number of requests in flight grows without end",
            "目标超标，或在途请求数不断增长",
        );
        return stops.to_owned();
    }
    let rules = dry.search.rules;
    let growth = percent(rules.least_growth);
    let mut stops = vec![lang.pick("an objective breaks".to_owned(), "目标超标".to_owned())];
    if rules.growth_stops {
        stops.push(lang.pick(
            format!("throughput grows by less than {growth} % per doubling"),
            format!("并发每翻一倍吞吐增长不到 {growth} %"),
        ));
    }
    if rules.resources_stop {
        stops.push(lang.pick(
            "the KV cache is full and the server preempts".to_owned(),
            "KV 缓存已满并发生抢占".to_owned(),
        ));
    }
    stops.join(lang.pick("; or ", "；或 "))
}

fn loads(dry: &DryRun, lang: Lang) -> String {
    let plan = &dry.plan;
    let counted = match plan.unit() {
        LoadUnit::RatePerS => return rates(dry.search.max_rate_per_s, lang),
        LoadUnit::Streams => lang.pick("streams", "路"),
        LoadUnit::Users => lang.pick("users", "个用户"),
    };
    let rungs: Vec<String> = dry
        .loads
        .iter()
        .map(|load| load.amount().to_string())
        .collect();
    let kind = match (&dry.search.ladder, lang) {
        (Ladder::Doubling, Lang::En) => " (doubling)",
        (Ladder::Doubling, Lang::Zh) => "（逐次翻倍）",
        (Ladder::Steps(_), _) => "",
    };
    let rungs = rungs.join(lang.pick(", ", "、"));
    let think = plan.think_time_s.map_or(String::new(), |think_s| {
        format!("{}{}", lang.pick("; ", "；"), think_text(think_s, lang))
    });
    lang.pick(
        format!(
            "{rungs} {counted}{kind} until something breaks, then between the highest load that \
             holds and the lowest that breaks{think}"
        ),
        format!(
            "{rungs} {counted}{kind}，直到某一档超标，再在最高的达标档与最低的超标档之间逼近{think}"
        ),
    )
}

/// By rate the loads follow from the request time of a stream alone.
fn rates(most_per_s: f64, lang: Lang) -> String {
    let rates = shown_rates(most_per_s).into_iter();
    let rates: Vec<String> = rates.map(|rate| rate.to_string()).collect();
    let rates = rates.join(lang.pick(", ", "、"));
    lang.pick(
        format!(
            "one stream alone, then half the rate that it brings, doubled until something breaks, to \
             {most_per_s} req/s at most (--max-rate); then streams that saturate the server, and \
             rates between the highest that holds and the lowest that breaks. If that stream takes \
             {SHOWN_REQUEST_TIME_S} s for a request, the rates are {rates} req/s"
        ),
        format!(
            "先测单路，再从它所得速率的一半起逐次翻倍，直到某一档超标，最高 {most_per_s} 请求/秒（--max-rate）；\
             然后用足够多的并发测出饱和速率，再在最高的达标速率与最低的超标速率之间逼近。\
             若单路的一个请求耗时 {SHOWN_REQUEST_TIME_S} 秒，各档速率为 {rates} 请求/秒"
        ),
    )
}

fn time(dry: &DryRun, lang: Lang) -> String {
    let budget = duration(dry.search.budget_s, lang);
    lang.pick(
        format!(
            "at most {budget} under load (--budget). A load of the ramp takes about 4 to 8 mean request \
             times, one stream some 10; what is left goes to the loads at the edge"
        ),
        format!(
            "加载最多 {budget}（--budget）。加压的每一档约需 4 到 8 个平均请求耗时，单路约 10 个；\
             剩下的时间用在临界处"
        ),
    )
}

/// Where a run of the past would go on.
fn goes_on(dry: &DryRun, lang: Lang) -> String {
    let Some(on) = dry.goes_on else {
        return String::new();
    };
    let (levels, had) = (on.levels, duration(on.elapsed_s, lang));
    let left = duration((dry.search.budget_s - on.elapsed_s).max(0.0), lang);
    let from = lang.pick(
        format!(
            "after {levels} {} and {had}, with {left} left",
            plural(u64::from(levels), "level")
        ),
        format!("已做 {levels} 档、用时 {had}，还剩 {left}"),
    );
    match on.next {
        Some(next) => {
            let next = load_text(next, lang);
            lang.pick(
                format!("{from}; next: {next}"),
                format!("{from}；下一档：{next}"),
            )
        }
        None => lang.pick(
            format!("{from}; nothing is left to do"),
            format!("{from}；没有可做的了"),
        ),
    }
}

/// How often the whole search would be done.
fn repeats(dry: &DryRun, lang: Lang) -> String {
    let Some(times) = dry.repeats else {
        return String::new();
    };
    let all = duration(dry.search.budget_s * f64::from(times), lang);
    lang.pick(
        format!(
            "{times} searches, one after another, each with a folder and a seed of its own; at most \
             {all} under load"
        ),
        format!(
            "整个搜索依次做 {times} 遍，每遍各有目录和种子；加载最多 {all}"
        ),
    )
}

fn passes(dry: &DryRun, lang: Lang) -> String {
    let parts = dry.passes.iter().filter_map(|one| {
        let (objective, requests) = (words::objective(&one.objective, lang), one.requests?);
        Some(lang.pick(
            format!("{objective}: {requests} requests"),
            format!("{objective}：{requests} 个请求"),
        ))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return String::new();
    }
    let all = parts.join(lang.pick("; ", "；"));
    lang.pick(
        format!("takes at least, with none over its bound: {all}; fewer only do not contradict it"),
        format!("即使无一超限也至少需要：{all}；更少则只能说“未见反证”"),
    )
}

/// What a cap and a rate leave for a request.
pub(crate) fn little(leaves: &Leaves, lang: Lang) -> String {
    let (cap, tokens) = (leaves.cap_streams, leaves.output_tokens);
    let rate = trimmed(leaves.request_per_s);
    let time = amount(leaves.request_time_s, lang);
    let each = amount(leaves.ms_per_token, lang);
    let fact = lang.pick(
        format!(
            "{cap} streams at {rate} requests per second leave {time} s for a request, {each} ms \
             for each of its {tokens} tokens (Little's law)."
        ),
        format!(
            "{cap} 路、每秒 {rate} 个请求，每个请求只有 {time} 秒，{tokens} 个 token 平均每个 \
             {each} 毫秒（利特尔法则）。"
        ),
    );
    if !leaves.is_contradiction() {
        return fact;
    }
    let warning = lang.pick(
        " They contradict each other: hardly any server is that fast, so the cap binds and the \
         rate is never reached. Raise the cap or lower the rate.",
        "两者互相矛盾：几乎没有服务能这么快，结果是并发先到上限，而速率永远达不到。请提高上限或降低速率。",
    );
    format!("{fact}{warning}")
}

#[cfg(test)]
mod tests {
    use plimsoll_core::dry_run::dry_run;
    use plimsoll_core::load::{Axis, Load};
    use plimsoll_core::run::Run;

    use super::*;
    use crate::fixture;

    fn of(run: &Run) -> DryRun {
        dry_run(&run.plan, run.plan.search().unwrap())
    }

    fn text(dry: &DryRun, width: u16) -> String {
        let mut out = Vec::new();
        for lang in [Lang::En, Lang::Zh] {
            render(dry, lang, width, &mut out).unwrap();
            out.push(b'\n');
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_search_before_it_is_run() {
        insta::assert_snapshot!(text(&of(&fixture::capacity()), 100));
    }

    #[test]
    fn rates_before_they_are_run() {
        let mut run = fixture::capacity();
        fixture::search(&mut run).axis = Axis::Rate;
        let dry = of(&run);
        assert_eq!(dry.loads, [Load::Streams(1)]);
        insta::assert_snapshot!(text(&dry, 100));
    }

    #[test]
    fn a_cap_and_a_rate_that_contradict_each_other() {
        let mut run = fixture::diminishing_returns();
        fixture::search(&mut run).max_concurrency = 200;
        let plan = &mut run.plan;
        plan.workload = Some("guide:content".to_owned());
        plan.input_len = plan.input_len.with_mean(512);
        plan.output_len = plan.output_len.with_mean(512);
        plan.think_time_s = Some(30.0);
        insta::assert_snapshot!(text(&of(&run), 80));
    }
}
