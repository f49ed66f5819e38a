//! What the answers were like, where that is not what was asked for or not what it seems.

use plimsoll_core::level::LevelSummary;
use plimsoll_core::run::Run;

use crate::lang::Lang;
use crate::number::trimmed;

/// A line for each thing that must be known of the answers before their figures are used.
pub(crate) fn answers(run: &Run, lang: Lang) -> Vec<String> {
    let lines = [
        outputs(run, lang),
        prompts(run, lang),
        hidden(run, lang),
        disbelieved(run, lang),
        in_one_piece(run, lang),
    ];
    lines.into_iter().flatten().collect()
}

/// Whether some level has answers of another length than was asked for.
pub(crate) fn has_other_outputs(run: &Run) -> bool {
    let mut levels = run.levels.iter();
    levels.any(|level| level.has_other_outputs() == Some(true))
}

/// Whether some answers state counts that cannot be.
pub(crate) fn has_disbelieved(run: &Run) -> bool {
    counted(run, |level| level.answers.usage_disbelieved).0 > 0
}

fn outputs(run: &Run, lang: Lang) -> Option<String> {
    let levels = || {
        let levels = run.levels.iter();
        levels.filter(|level| level.has_other_outputs() == Some(true))
    };
    let asked = mean_by_request(levels(), |level| level.answers.asked_output_tokens_mean)?;
    let came = mean_by_request(levels(), LevelSummary::all_output_tokens_mean)?;
    let (asked, came) = (tokens(asked), tokens(came));
    Some(lang.pick(
        format!(
            "Answers have {came} tokens on the average where {asked} were asked for: the answer is \
             for answers of that length, and another length has another capacity."
        ),
        format!(
            "要求输出 {asked} 个 token，回答实际平均为 {came} 个：结论只对这样长的回答成立，长度不同，容量也不同。"
        ),
    ))
}

fn prompts(run: &Run, lang: Lang) -> Option<String> {
    let levels = || {
        let levels = run.levels.iter();
        levels.filter(|level| level.has_other_prompts() == Some(true))
    };
    let asked = mean_by_request(levels(), |level| level.answers.asked_prompt_tokens_mean)?;
    let came = mean_by_request(levels(), |level| level.prompt_tokens_mean)?;
    let is_cut = came < asked;
    let (asked, came) = (tokens(asked), tokens(came));
    let why = match (is_cut, lang) {
        (true, Lang::En) => "it may cut them, and the answer is for prompts of that length",
        (true, Lang::Zh) => "可能被截断，结论只对这样长的输入成立",
        (false, Lang::En) => "the answer is for prompts of that length",
        (false, Lang::Zh) => "结论只对这样长的输入成立",
    };
    Some(lang.pick(
        format!(
            "The server counts {came} tokens in a prompt on the average where {asked} were asked \
             for: {why}."
        ),
        format!("要求输入 {asked} 个 token，服务端统计平均为 {came} 个：{why}。"),
    ))
}

fn hidden(run: &Run, lang: Lang) -> Option<String> {
    let hidden = mean_by_request(run.levels.iter(), |level| {
        level.answers.hidden_output_tokens_mean
    })?;
    let hidden = tokens(hidden);
    Some(lang.pick(
        format!(
            "Of each answer {hidden} tokens of reasoning on the average are counted by the server \
             and not streamed. Their time is in TTFT; TPOT, speed and tok/s are of the tokens that \
             were streamed."
        ),
        format!(
            "每个回答平均有 {hidden} 个推理 token 只计入用量、没有流式输出。它们的耗时体现在首字时延中；TPOT、单路速度和 \
             token 吞吐只计流式输出的 token。"
        ),
    ))
}

fn disbelieved(run: &Run, lang: Lang) -> Option<String> {
    let (odd, of) = counted(run, |level| level.answers.usage_disbelieved);
    (odd > 0).then(|| {
        lang.pick(
            format!(
                "{odd} of {of} answers state token counts that cannot be: fewer than their output \
                 events, or more than was asked for and sent. These counts are left out, and output \
                 events are counted instead."
            ),
            format!(
                "{of} 个回答中有 {odd} 个给出了不可能的 token 用量：少于输出事件数，或多于要求和实际输出的量。\
                 这些用量不予采用，改按输出事件计数。"
            ),
        )
    })
}

/// Some answers come at once from any server that is quick enough; most of them do not.
fn in_one_piece(run: &Run, lang: Lang) -> Option<String> {
    let (whole, of) = counted(run, |level| level.answers.in_one_piece);
    (whole * 2 > of).then(|| {
        let share = trimmed((whole as f64 / of as f64 * 100.0).floor());
        lang.pick(
            format!(
                "{share} % of the answers came in one piece: the server does not stream, or \
                 something before it gathers what it sends. Their TTFT is that of the whole request, \
                 and they have no TPOT and no speed."
            ),
            format!(
                "{share} % 的回答一次性到达：服务端没有流式输出，或中间环节做了缓冲。它们的首字时延就是整个请求的耗时，\
                 也没有 TPOT 和单路速度。"
            ),
        )
    })
}

/// A mean number of tokens.
fn tokens(mean: f64) -> String {
    if mean < 10.0 {
        trimmed(mean)
    } else {
        format!("{mean:.0}")
    }
}

/// How many completed answers are like this, of how many.
fn counted(run: &Run, of: fn(&LevelSummary) -> u64) -> (u64, u64) {
    let levels = run.levels.iter();
    levels.fold((0, 0), |(odd, all), level| {
        (odd + of(level), all + level.requests.completed_in_window)
    })
}

/// The mean over the requests of these levels; `None` where none has a value.
pub(crate) fn mean_by_request<'a>(
    levels: impl Iterator<Item = &'a LevelSummary>,
    of: fn(&LevelSummary) -> Option<f64>,
) -> Option<f64> {
    let (mut sum, mut requests) = (0.0, 0.0);
    for level in levels {
        let count = level.requests.completed_in_window as f64;
        if let Some(mean) = of(level) {
            sum += mean * count;
            requests += count;
        }
    }
    (requests > 0.0).then(|| sum / requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_is_not_as_asked_is_said() {
        let mut run = fixture::capacity();
        assert_eq!(answers(&run, Lang::En), Vec::<String>::new());
        for level in &mut run.levels {
            level.answers.asked_output_tokens_mean = Some(128.0);
            level.output_tokens_mean = Some(25.0);
            level.answers.asked_prompt_tokens_mean = Some(2_000.0);
            level.prompt_tokens_mean = Some(512.0);
            level.answers.usage_disbelieved = 1;
            level.answers.in_one_piece = level.requests.completed_in_window;
        }
        let lines = answers(&run, Lang::En);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].contains("have 25 tokens") && lines[0].contains("128 were asked for"));
        assert!(lines[1].contains("512 tokens") && lines[1].contains("may cut"));
        assert!(lines[2].contains("cannot be"), "{}", lines[2]);
        assert!(lines[3].starts_with("100 % of the answers came in one piece"));
        for level in &mut run.levels {
            level.answers = plimsoll_core::level::Answers {
                asked_output_tokens_mean: Some(100.0),
                hidden_output_tokens_mean: Some(90.0),
                ..Default::default()
            };
            level.output_tokens_mean = Some(10.0);
        }
        let lines = answers(&run, Lang::Zh);
        assert_eq!(lines.len(), 1, "all 100 tokens were made: {lines:?}");
        assert!(lines[0].contains("90 个推理 token"));
        assert!(!has_other_outputs(&run));
    }
}
