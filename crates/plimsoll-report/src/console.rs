//! A run on a terminal: what was tested, the table, the answer, the notes.

use std::io;

use plimsoll_core::check::Check;
use plimsoll_core::protocol::PromptForm;
use plimsoll_core::run::{HttpVersion, Run};

use crate::check;
use crate::lang::Lang;
use crate::layout;
use crate::lengths::lengths;
use crate::notes::notes;
use crate::sentence::sentence;
use crate::table::table;
use crate::tiers::tiers;
use crate::words;

/// Writes a run for a terminal of `width` columns.
pub fn render(run: &Run, lang: Lang, width: u16, w: &mut dyn io::Write) -> io::Result<()> {
    if let Some(check) = Check::of(run) {
        return check::render(check, lang, width, w);
    }
    let columns = usize::from(width);
    header(run, lang, columns, w)?;
    if !run.levels.is_empty() {
        writeln!(w, "\n{}", table(&run.levels, lang, width))?;
    }
    let Some(verdict) = &run.verdict else {
        let text = lang.pick("The run has no answer yet.", "测试尚未得出结论。");
        return writeln!(w, "\n{text}");
    };
    writeln!(w)?;
    for line in layout::wrap(&sentence(run, verdict, lang), columns) {
        writeln!(w, "{line}")?;
    }
    writeln!(w)?;
    for note in notes(run, verdict, lang) {
        layout::hang("- ", &note, columns, w)?;
    }
    tiers(run, lang, columns, w)
}

fn header(run: &Run, lang: Lang, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    let rows = [
        (lang.pick("Server", "服务端"), server(run)),
        (lang.pick("Model", "模型"), model(run, lang)),
        (lang.pick("Endpoint", "接口"), endpoint(run, lang)),
        (
            lang.pick("Lengths", "长度"),
            lengths(
                run.plan.workload.as_deref(),
                (run.plan.input_len, run.plan.output_len),
                run.server.prompt_tokens_measured,
                lang,
            ),
        ),
        (lang.pick("Objectives", "目标"), objectives(run, lang)),
    ];
    let widest = rows.iter().map(|row| layout::width(row.0)).max();
    for (name, text) in rows {
        let label = layout::left(name, widest.unwrap_or(0) + 2);
        layout::hang(&label, &text, columns, w)?;
    }
    Ok(())
}

fn server(run: &Run) -> String {
    let target = &run.plan.target;
    match &run.server.kind {
        Some(kind) => format!("{target} ({kind})"),
        None => target.clone(),
    }
}

fn model(run: &Run, lang: Lang) -> String {
    let model = &run.server.model;
    match run.server.max_model_len_tokens {
        Some(longest) => lang.pick(
            format!("{model}, context {longest} tokens"),
            format!("{model}，上下文 {longest} token"),
        ),
        None => model.clone(),
    }
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
        format!("{path} over {http}, {prompts}"),
        format!("{path}（{http}），{prompts}"),
    )
}

fn objectives(run: &Run, lang: Lang) -> String {
    let slo = words::slo(&run.plan.slo, lang);
    if run.plan.slo_given {
        slo
    } else {
        lang.pick(
            format!("{slo} (default stop rules)"),
            format!("{slo}（默认停止规则）"),
        )
    }
}
