//! The lines that are left out, and which options give them.

use std::io::{self, Write};

use plimsoll_core::capacity_plan::{Input, Missing, PlanLine};

use crate::lang::Lang;
use crate::layout;

/// Writes what is left out.
pub(super) fn write(
    missing: &[Missing],
    lang: Lang,
    columns: usize,
    w: &mut dyn Write,
) -> io::Result<()> {
    // Lines that need the same stand together.
    let mut groups: Vec<(&[Input], Vec<&str>)> = Vec::new();
    for missing in missing {
        let name = name(missing.line, lang);
        match groups.iter_mut().find(|group| group.0 == missing.needs) {
            Some(group) => group.1.push(name),
            None => groups.push((&missing.needs, vec![name])),
        }
    }
    let heading = lang.pick(
        "Left out, since it would have to be guessed:",
        "以下各项缺少输入，未作猜测：",
    );
    writeln!(w, "{heading}")?;
    for (needs, names) in groups {
        let names = names.join(lang.pick(", ", "、"));
        let options = options(needs, lang);
        let text = lang.pick(
            format!("{names}: give {options}"),
            format!("{names}：请给 {options}"),
        );
        layout::hang("- ", &text, columns, w)?;
    }
    Ok(())
}

/// `--a, --b and --c`.
fn options(needs: &[Input], lang: Lang) -> String {
    let mut options: Vec<&str> = needs.iter().map(|input| option(*input, lang)).collect();
    let last = options.pop().unwrap_or_default();
    if options.is_empty() {
        return last.to_owned();
    }
    let (comma, and) = lang.pick((", ", " and "), ("、", " 和 "));
    format!("{}{and}{last}", options.join(comma))
}

fn option(input: Input, lang: Lang) -> &'static str {
    match input {
        Input::Cap => lang.pick("--cap N (or --from RUN)", "--cap N（或 --from 结果目录）"),
        Input::RequestTime => lang.pick(
            "--request-time TIME (or --from RUN)",
            "--request-time 时间（或 --from 结果目录）",
        ),
        Input::ThinkTime => lang.pick("--think-time TIME", "--think-time 时间"),
        Input::ActiveShare => lang.pick("--active-share SHARE", "--active-share 比例"),
        Input::PeakFactor => lang.pick("--peak-factor X", "--peak-factor 倍数"),
        Input::TokensPerRequest => lang.pick(
            "--tokens-per-request IN+OUT",
            "--tokens-per-request 输入+输出",
        ),
        Input::GpuPrice => lang.pick("--gpu-price PRICE", "--gpu-price 单价"),
        Input::Gpus => lang.pick("--gpus N", "--gpus 个数"),
        Input::Target => lang.pick(
            "--users N, --qps X or --requests-per-day N",
            "--users 人数、--qps 每秒请求数或 --requests-per-day 每天请求数",
        ),
    }
}

fn name(line: PlanLine, lang: Lang) -> &'static str {
    match line {
        PlanLine::Supply => lang.pick("what one server carries", "一台服务的承载能力"),
        PlanLine::SupplyRequestPerS => lang.pick("requests per second of one server", "一台的 QPS"),
        PlanLine::SupplyActiveUsers => {
            lang.pick("active users of one server", "一台的同时活跃用户数")
        }
        PlanLine::SupplyUsers => lang.pick("all users of one server", "一台的用户总数"),
        PlanLine::SupplyRequestPerDay => {
            lang.pick("requests per day of one server", "一台每天的请求数")
        }
        PlanLine::SupplyTokensPerDay => {
            lang.pick("tokens per day of one server", "一台每天的 token 数")
        }
        PlanLine::SupplyCost => lang.pick("cost of a million tokens", "每百万 token 成本"),
        PlanLine::Demand => lang.pick(
            "streams and servers for a target",
            "目标需要多少路并发、几台服务",
        ),
        PlanLine::DemandRequestPerS => lang.pick("requests per second of the target", "目标的 QPS"),
        PlanLine::DemandStreams => lang.pick("streams for the target", "目标需要的并发"),
        PlanLine::DemandActiveUsers => {
            lang.pick("active users of the target", "目标的同时活跃用户数")
        }
        PlanLine::DemandRequestPerDay => {
            lang.pick("requests per day of the target", "目标每天的请求数")
        }
        PlanLine::DemandTokensPerDay => {
            lang.pick("tokens per day of the target", "目标每天的 token 数")
        }
        PlanLine::DemandServers => lang.pick("servers for the target", "目标需要的台数"),
        PlanLine::DemandCost => lang.pick("cost of the servers", "这些服务的成本"),
        PlanLine::DemandCostPerToken => {
            lang.pick("cost of the target's tokens", "目标每百万 token 的成本")
        }
    }
}
