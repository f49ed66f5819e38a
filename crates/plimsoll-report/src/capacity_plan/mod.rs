//! `plimsoll plan` for people: the answer, and every line with its formula and the numbers put in.

mod demand;
mod missing;
mod supply;

use std::io::{self, Write};

use plimsoll_core::capacity_plan::{CapacityPlan, Inputs, Target, TimeSource};

use crate::lang::Lang;
use crate::layout;
use crate::number::amount;

/// One line: what it is, how much, and why.
struct Line {
    label: &'static str,
    value: String,
    formula: String,
}

/// Writes a plan for a terminal of `width` columns.
pub fn render(plan: &CapacityPlan, lang: Lang, width: u16, w: &mut dyn Write) -> io::Result<()> {
    let columns = usize::from(width);
    let mut is_first = true;
    for text in answers(plan, lang) {
        for line in layout::wrap(&text, columns) {
            writeln!(w, "{line}")?;
        }
        is_first = false;
    }
    let blocks = [
        plan.supply
            .as_ref()
            .map(|supply| supply::block(supply, &plan.inputs, lang)),
        plan.demand
            .as_ref()
            .map(|demand| demand::block(demand, plan, lang)),
    ];
    for (heading, lines) in blocks.into_iter().flatten() {
        if !is_first {
            writeln!(w)?;
        }
        is_first = false;
        writeln!(w, "{heading}")?;
        block(&lines, columns, w)?;
    }
    if let Some(text) = without_a_run(plan, lang) {
        writeln!(w)?;
        layout::hang("", text, columns, w)?;
    }
    if plan.missing.is_empty() {
        return Ok(());
    }
    if !is_first {
        writeln!(w)?;
    }
    missing::write(&plan.missing, lang, columns, w)
}

/// What a request time that was typed in cannot tell.
fn without_a_run(plan: &CapacityPlan, lang: Lang) -> Option<&'static str> {
    let is_typed = plan.inputs.request_time?.source == TimeSource::Given;
    let text = lang.pick(
        "The request time is taken as given, at any load. A run (--from) also tells where throughput \
         stops growing; the plan is then for less.",
        "请求耗时按给定值计算，不随负载变化。用实测结果（--from）还能看出吞吐从哪里起不再增长，并相应降低平均并发。",
    );
    (is_typed && plan.supply.is_some()).then_some(text)
}

/// The plan in a sentence for each part of it.
fn answers(plan: &CapacityPlan, lang: Lang) -> Vec<String> {
    let demand = plan.demand.as_ref();
    let supply = plan.supply.as_ref();
    [
        supply.and_then(|supply| supply::sentence(supply, lang)),
        demand.and_then(|demand| demand::sentence(demand, lang)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn block(lines: &[Line], columns: usize, w: &mut dyn Write) -> io::Result<()> {
    let widest = |of: fn(&Line) -> &str| {
        let widths = lines.iter().map(|line| layout::width(of(line)));
        widths.max().unwrap_or(0)
    };
    let label_width = widest(|line| line.label);
    let value_width = widest(|line| &line.value);
    for line in lines {
        let start = format!(
            "  {}  {}  ",
            layout::left(line.label, label_width),
            layout::right(&line.value, value_width)
        );
        layout::hang(&start, &line.formula, columns, w)?;
    }
    Ok(())
}

/// `7.9 s + 60 s`: the time from one request of a user to the next.
fn cycle(inputs: &Inputs, lang: Lang) -> String {
    format!(
        "({} + {})",
        seconds(inputs.request_time.map(|time| time.s), lang),
        seconds(inputs.think_time_s, lang)
    )
}

fn seconds(value: Option<f64>, lang: Lang) -> String {
    value.map_or_else(String::new, |value| {
        format!("{} {}", amount(value, lang), lang.pick("s", "秒"))
    })
}

fn share(ratio: f64, lang: Lang) -> String {
    format!("{} %", amount(ratio * 100.0, lang))
}

/// The target in words.
fn target(target: Target, lang: Lang) -> String {
    let (Target::Users(value) | Target::RequestPerS(value) | Target::RequestPerDay(value)) = target;
    let value = amount(value, lang);
    // A Chinese number that ends in a character has no space before its measure word.
    let gap = if value.is_ascii() { " " } else { "" };
    match (target, lang) {
        (Target::Users(_), Lang::En) => format!("{value} users"),
        (Target::Users(_), Lang::Zh) => format!("{value}{gap}名用户"),
        (Target::RequestPerS(_), Lang::En) => format!("{value} requests per second"),
        (Target::RequestPerS(_), Lang::Zh) => format!("每秒 {value}{gap}个请求"),
        (Target::RequestPerDay(_), Lang::En) => format!("{value} requests a day"),
        (Target::RequestPerDay(_), Lang::Zh) => format!("每天 {value}{gap}个请求"),
    }
}

#[cfg(test)]
mod tests;
