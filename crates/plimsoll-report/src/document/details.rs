//! What a reader may want to look up: the test, how throughput follows the load, the client, and how
//! the words are meant.

use plimsoll_core::protocol::PromptForm;
use plimsoll_core::run::{HttpVersion, Run};

use super::cautions::is_doubt;
use crate::alarms::alarms_when_broken;
use crate::check::Held;
use crate::client::client_notes;
use crate::lang::Lang;
use crate::lengths::lengths;
use crate::notes;
use crate::scaling::scaling_notes;

/// What a detail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Server, model, requests, time.
    Test,
    /// Growth, knees, the law, efficiency.
    Scaling,
    /// The load generator's own health.
    Client,
    /// What the words and the figures mean.
    Meaning,
}

/// Lines on one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What it is about.
    pub topic: Topic,
    /// The same in words.
    pub heading: &'static str,
    /// A sentence each.
    pub lines: Vec<String>,
}

/// All details of a run; topics without a line are left out.
pub(super) fn details(run: &Run, lang: Lang) -> Vec<Detail> {
    let all = [
        (Topic::Test, test(run, lang)),
        (Topic::Scaling, scaling(run, lang)),
        (Topic::Client, client_notes(run, lang)),
        (Topic::Meaning, meaning(run, lang)),
    ];
    let filled = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    filled
        .map(|(topic, lines)| Detail {
            topic,
            heading: heading(topic, lang),
            lines,
        })
        .collect()
}

fn heading(topic: Topic, lang: Lang) -> &'static str {
    match topic {
        Topic::Test => lang.pick("the test", "测试条件"),
        Topic::Scaling => lang.pick("throughput and knees", "吞吐与拐点"),
        Topic::Client => lang.pick("the client", "压测客户端"),
        Topic::Meaning => lang.pick("what the words mean", "术语含义"),
    }
}

fn test(run: &Run, lang: Lang) -> Vec<String> {
    if let Some(held) = Held::of(run, lang) {
        let colon = lang.pick(": ", "：");
        let asked = held.asked.into_iter();
        return asked
            .map(|row| format!("{}{colon}{}", row.name, row.text))
            .collect();
    }
    let lengths = lengths(
        run.plan.workload.as_deref(),
        (run.plan.input_len, run.plan.output_len),
        run.server.prompt_tokens_measured,
        lang,
    );
    let length = lang.pick(format!("Lengths: {lengths}."), format!("长度：{lengths}。"));
    let own = run.verdict.iter().flat_map(|verdict| {
        let others = verdict.notes.iter().filter(|one| !is_doubt(one));
        others.map(|one| notes::note(one, run, lang))
    });
    let time = run
        .verdict
        .iter()
        .map(|verdict| notes::level_time(run, verdict, lang));
    [Some(endpoint(run, lang)), context(run, lang), Some(length)]
        .into_iter()
        .flatten()
        .chain(time)
        .chain(alarms_when_broken(run, lang))
        .chain(own)
        .collect()
}

fn endpoint(run: &Run, lang: Lang) -> String {
    let path = run.server.endpoint.path();
    let prompts = match run.server.prompt_form {
        PromptForm::TokenIds => lang.pick("prompts as token ids", "提示词为 token id"),
        PromptForm::Words => lang.pick("prompts as text", "提示词为文本"),
    };
    let http = match run.server.http {
        HttpVersion::Http1 => "HTTP/1.1",
        HttpVersion::Http2 => "HTTP/2",
    };
    lang.pick(
        format!("Requests: {path} over {http}, {prompts}."),
        format!("请求：{path}（{http}），{prompts}。"),
    )
}

fn context(run: &Run, lang: Lang) -> Option<String> {
    let longest = run.server.max_model_len_tokens?;
    Some(lang.pick(
        format!("Longest context by the server: {longest} tokens."),
        format!("服务端给出的最长上下文：{longest} token。"),
    ))
}

fn scaling(run: &Run, lang: Lang) -> Vec<String> {
    let verdict = run.verdict.as_ref();
    verdict.map_or_else(Vec::new, |verdict| {
        let steepness = notes::steepness(verdict, lang);
        steepness
            .into_iter()
            .chain(scaling_notes(run, verdict, lang))
            .collect()
    })
}

fn meaning(run: &Run, lang: Lang) -> Vec<String> {
    let of_verdict = run.verdict.iter().flat_map(|verdict| {
        notes::think_time(run, verdict, lang)
            .into_iter()
            .chain(notes::interval(run, verdict, lang))
    });
    of_verdict.chain(notes::screened(run, lang)).collect()
}
