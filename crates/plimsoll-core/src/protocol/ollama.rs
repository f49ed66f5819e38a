//! Ollama's chat: `POST /api/chat`, streamed as newline-delimited JSON (its `docs/api.md`).
//!
//! Each line is an object with the next piece of the message. The last one has `done`, the reason and
//! the token counts; an error in the stream is a line with `error` alone. There is no way to make an
//! answer go on to a length: `num_predict` is the longest that it may become.

use serde_json::Value;

use super::chunk::{Aside, Chunk, ChunkFault, Located, Output};
use super::json::Json;
use super::models::{ModelList, ServedModel, text};
use super::refusal::{Ending, ending, refusal};
use super::request::{Fields, Request};
use super::usage::Usage;
use super::{Auth, Feature, Framing, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "ollama",
    path: "/api/chat",
    auth: Auth::Bearer,
    key_variable: "OLLAMA_API_KEY",
    framing: Framing::Ndjson,
    last_word: "`done`",
    models: ModelList {
        path: "/api/tags",
        read: read_models,
    },
    features: &[Feature::Temperature],
    body,
    read: locate,
};

fn body(request: &Request<'_>) -> String {
    let options = request.sampling.iter();
    let options = options.fold(
        Fields::new().json("num_predict", request.output_tokens),
        |fields, (name, value)| fields.json(option(name), value),
    );
    Fields::beside(request.extra)
        .text("model", request.model)
        .json("messages", request.prompt.messages())
        .json("options", options.end())
        .json("stream", true)
        .end()
}

/// What an option of the sampling is called here.
fn option(name: &str) -> &str {
    match name {
        "repetition_penalty" => "repeat_penalty",
        same => same,
    }
}

fn locate(line: &[u8]) -> Result<Located, ChunkFault> {
    let document = Json::parse(line)?;
    if !document.is_object() {
        return Err(ChunkFault("not an object".to_owned()));
    }
    let is_done = matches!(document.get("done"), Some(Json::Bool(true)));
    let mut usage = Usage::default();
    usage.prompt_tokens = usage.count(document.get("prompt_eval_count"));
    usage.completion_tokens = usage.count(document.get("eval_count"));
    let message = document
        .get("message")
        .filter(|message| message.is_object());
    let mut output = Output::default();
    if let Some(message) = message {
        output.add_reasoning(message, &["thinking"]);
        let _ = output.add(message.get("content"));
        let calls = message
            .get("tool_calls")
            .map_or(&[][..], Json::parts)
            .iter();
        for function in calls.filter_map(|call| call.get("function")) {
            output.add_call(function);
        }
    }
    let broken_off = match ending(document.get("done_reason")) {
        Some(Ending::BrokenOff(said)) => Some(said),
        _ => None,
    };
    let chunk = Chunk {
        is_part: message.is_some(),
        text: output.text(),
        has_reasoning: output.has_reasoning(),
        finished: is_done,
        is_last: is_done,
        usage: (usage != Usage::default()).then_some(usage),
        error: refusal(&document, message.is_some() || is_done).or(broken_off),
    };
    let says_more = is_done || chunk.usage.is_some() || chunk.error.is_some();
    let place = output.place(line).filter(|_| !says_more);
    Ok(Located {
        chunk,
        text: place.map(|(text, _)| text),
        aside: document
            .get("created_at")
            .and_then(|at| at.place(line))
            .map(Aside::Ignored),
    })
}

fn read_models(page: &Value) -> Option<Vec<ServedModel>> {
    let models = page.get("models")?.as_array()?;
    let model = |entry: &Value| {
        Some(ServedModel {
            id: text(entry, "model").or_else(|| text(entry, "name"))?,
            kind: Some("ollama".to_owned()),
            ..ServedModel::default()
        })
    };
    Some(models.iter().filter_map(model).collect())
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Told, every_cut, told};
    use super::super::{Extras, Prompt, Protocol};
    use super::*;
    use crate::outcome::Outcome;

    /// The lines of `docs/api.md`, each with a time of its own.
    const ANSWER: &str = concat!(
        r#"{"model":"llama3.2","created_at":"2023-08-04T08:52:19.385406455-07:00","message":{"role":"assistant","content":""},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2023-08-04T08:52:19.4-07:00","message":{"role":"assistant","content":"The"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2023-08-04T08:52:19.512009-07:00","message":{"role":"assistant","content":" sky"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2023-08-04T08:52:19.6-07:00","message":{"role":"assistant","content":" \"is\"\n天"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"2023-08-04T19:22:45.499127Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":4,"eval_duration":4535599000}"#,
        "\n",
    );
    const THINKING: &str = concat!(
        r#"{"model":"q","created_at":"2025-10-26T17:15:24.097767Z","message":{"role":"assistant","content":"","thinking":"Let"},"done":false}"#,
        "\r\n",
        r#"{"model":"q","created_at":"2025-10-26T17:15:24.1Z","message":{"role":"assistant","content":"","thinking":" me"},"done":false}"#,
        "\r\n",
        r#"{"model":"q","created_at":"2025-10-26T17:15:24.2Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}"#,
        "\r\n",
        r#"{"model":"q","created_at":"2025-10-26T17:15:24.3Z","done":true}"#,
        "\r\n",
    );
    const TOKEN: &str = r#"{"message":{"content":"a"},"done":false}"#;

    fn stream(body: &str) -> Told {
        told(Protocol::Ollama, body.as_bytes())
    }

    #[test]
    fn an_answer_is_read_as_documented_however_it_is_cut() {
        let told = stream(ANSWER);
        assert_eq!(told.outcome, Outcome::Completed);
        assert_eq!(told.text, "The sky \"is\"\n天");
        assert_eq!(told.outputs, [false, true, true, true, false]);
        let usage = Usage {
            prompt_tokens: Some(26),
            completion_tokens: Some(4),
            ..Usage::default()
        };
        assert_eq!(told.usage, usage);
        every_cut(Protocol::Ollama, ANSWER.as_bytes());
    }

    #[test]
    fn thought_and_tool_calls_are_output() {
        let told = stream(THINKING);
        assert_eq!(told.outcome, Outcome::Completed);
        assert_eq!(told.text, r#"Let mef{"a":1}"#);
        assert_eq!(told.outputs, [true, true, true]);
        assert_eq!(told.usage, Usage::default());
        every_cut(Protocol::Ollama, THINKING.as_bytes());
    }

    #[test]
    fn each_way_to_end_has_its_outcome() {
        let done = r#"{"message":{"content":""},"done":true}"#;
        let table = [
            (format!("{TOKEN}\n{done}\n"), Outcome::Completed),
            (format!("{TOKEN}\n{done}"), Outcome::Completed),
            (format!("{TOKEN}\n"), Outcome::EndedEarly),
            (format!("{done}\n"), Outcome::Empty),
            (
                format!("{TOKEN}\n{{\"error\":\"an error was encountered\"}}\n"),
                Outcome::ErrorEvent,
            ),
            (format!("{TOKEN}\n{{\"mess"), Outcome::EndedEarly),
            (format!("{TOKEN}\noops\n"), Outcome::Malformed),
        ];
        for (body, outcome) in table {
            assert_eq!(stream(&body).outcome, outcome, "{body}");
            every_cut(Protocol::Ollama, body.as_bytes());
        }
        let error = stream("{\"error\":\"model ran out of memory\"}\n");
        assert_eq!(error.detail.as_deref(), Some("model ran out of memory"));
    }

    #[test]
    fn lines_that_differ_in_time_and_text_are_learnt() {
        let line = ANSWER.lines().nth(1).unwrap();
        let located = locate(line.as_bytes()).unwrap();
        assert_eq!(&line[located.text.unwrap()], "The");
        let Some(Aside::Ignored(at)) = located.aside else {
            unreachable!("the time differs from line to line")
        };
        assert_eq!(&line[at], "2023-08-04T08:52:19.4-07:00");
        let last = ANSWER.lines().last().unwrap();
        assert_eq!(locate(last.as_bytes()).unwrap().text, None);
    }

    #[test]
    fn the_options_have_their_names_here() {
        let request = Request {
            model: "m",
            prompt: Prompt::Text("hi"),
            output_tokens: 7,
            extras: Extras::NONE,
            sampling: &[
                ("temperature", "0".to_owned()),
                ("repetition_penalty", "1.1".to_owned()),
            ],
            extra: None,
        };
        assert_eq!(
            Protocol::Ollama.body(&request),
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":7,"temperature":0,"repeat_penalty":1.1},"stream":true}"#
        );
    }

    #[test]
    fn the_tags_are_the_models() {
        let page = br#"{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":1},{"name":"old:7b"}]}"#;
        let models = SPEC.models.read(page).unwrap();
        let names: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(names, ["llama3.2:latest", "old:7b"]);
        assert_eq!(models[0].kind.as_deref(), Some("ollama"));
        assert_eq!(SPEC.models.read(br#"{"data":[]}"#), None);
    }
}
