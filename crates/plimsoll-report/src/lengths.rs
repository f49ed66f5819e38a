//! What requests ask for, in words.

use plimsoll_core::level::LevelSummary;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::Run;
use plimsoll_core::workload::LengthLaw;

use crate::lang::Lang;
use crate::number::{MISSING, amount, trimmed};

/// The laws of prompts and answers, with the workload's name if it has one; `measured` is what the
/// server counted of a prompt.
pub(crate) fn lengths(
    name: Option<&str>,
    (input, output): (LengthLaw, LengthLaw),
    measured: Option<f64>,
    lang: Lang,
) -> String {
    let measured = measured.map_or(String::new(), |tokens| {
        let tokens = trimmed(tokens);
        lang.pick(
            format!(" (measured {tokens})"),
            format!("（实测 {tokens}）"),
        )
    });
    let name = name.map_or(String::new(), |name| {
        format!("{name}{}", lang.pick(": ", "："))
    });
    if let (Some(spread), Some(other)) = (spread_ratio(input), spread_ratio(output))
        && spread.to_bits() == other.to_bits()
    {
        let (input, output) = (input.mean_tokens(), output.mean_tokens());
        let spread = trimmed(spread * 100.0);
        return lang.pick(
            format!("{name}input {input}{measured}, output {output} tokens, ±{spread} %"),
            format!("{name}输入 {input}{measured}、输出 {output} token，±{spread} %"),
        );
    }
    let (input, output) = (law(input, lang), law(output, lang));
    lang.pick(
        format!("{name}input {input}{measured}; output {output} tokens"),
        format!("{name}输入 {input}{measured}；输出 {output} token"),
    )
}

/// That the API has no way to make answers as long as asked for; `None` where it has one.
pub(crate) fn cannot_fix(protocol: Protocol, lang: Lang) -> Option<String> {
    let path = protocol.path();
    let text = lang.pick(
        format!("{path} cannot fix the length of an answer: it may be shorter than asked."),
        format!("{path} 无法固定输出长度：回答可能比要求的短。"),
    );
    (!protocol.can_fix_length()).then_some(text)
}

/// The mean lengths asked for, and those that came: `512 in / 128 out (measured 511 / 127)`.
pub(crate) fn short_lengths(run: &Run, lang: Lang) -> String {
    let (input, output) = (
        run.plan.input_len.mean_tokens(),
        run.plan.output_len.mean_tokens(),
    );
    // Each request counts once, whichever level it was in.
    let mean = |of: fn(&LevelSummary) -> Option<f64>| {
        let (mut tokens, mut requests) = (0.0, 0.0);
        for level in &run.levels {
            let count = level.requests.completed_in_window as f64;
            if let Some(mean) = of(level) {
                tokens += mean * count;
                requests += count;
            }
        }
        if requests > 0.0 {
            format!("{:.0}", tokens / requests)
        } else {
            MISSING.to_owned()
        }
    };
    let came_in = mean(|level| level.prompt_tokens_mean);
    let came_out = mean(|level| level.output_tokens_mean);
    let name = run.plan.workload.as_ref();
    let name = name.map_or(String::new(), |name| {
        format!("{name}{}", lang.pick(": ", "："))
    });
    lang.pick(
        format!("{name}{input} in / {output} out (measured {came_in} / {came_out})"),
        format!("{name}输入 {input} / 输出 {output}（实测 {came_in} / {came_out}）"),
    )
}

fn spread_ratio(law: LengthLaw) -> Option<f64> {
    match law {
        LengthLaw::Uniform { spread_ratio, .. } => Some(spread_ratio),
        LengthLaw::Lognormal { .. } | LengthLaw::Bimodal { .. } => None,
    }
}

/// A law in a few words.
fn law(law: LengthLaw, lang: Lang) -> String {
    match law {
        LengthLaw::Uniform {
            mean_tokens,
            spread_ratio,
        } => format!("{mean_tokens} ±{} %", trimmed(spread_ratio * 100.0)),
        LengthLaw::Lognormal { mean_tokens, cv } => lang.pick(
            format!("{mean_tokens} (lognormal, CV {cv})"),
            format!("{mean_tokens}（对数正态，变异系数 {cv}）"),
        ),
        LengthLaw::Bimodal {
            short_tokens,
            long_tokens,
            long_ratio,
            ..
        } => {
            let share = trimmed(long_ratio * 100.0);
            let mean = amount(f64::from(law.mean_tokens()), lang);
            lang.pick(
                format!("{short_tokens} or, {share} % of them, {long_tokens} (mean {mean})"),
                format!("{short_tokens}，其中 {share} % 为 {long_tokens}（平均 {mean}）"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn laws_are_named() {
        let mut plan = fixture::capacity().plan;
        plan.workload = Some("agent".to_owned());
        plan.input_len = LengthLaw::Bimodal {
            short_tokens: 2_000,
            long_tokens: 8_000,
            long_ratio: 0.3,
            cv: 0.3,
        };
        plan.output_len = LengthLaw::Lognormal {
            mean_tokens: 300,
            cv: 0.5,
        };
        assert_eq!(
            lengths(
                plan.workload.as_deref(),
                (plan.input_len, plan.output_len),
                None,
                Lang::En
            ),
            "agent: input 2000 or, 30 % of them, 8000 (mean 3,800); output 300 (lognormal, CV 0.5) \
             tokens"
        );
        assert_eq!(
            lengths(
                plan.workload.as_deref(),
                (plan.input_len, plan.output_len),
                Some(3_790.0),
                Lang::Zh
            ),
            "agent：输入 2000，其中 30 % 为 8000（平均 3,800）（实测 3790）；输出 300（对数正态，变异系数 \
             0.5） token"
        );
    }
}
