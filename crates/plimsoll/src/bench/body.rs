//! Request bodies, field for field as `vllm bench serve` sends them (compat-vllm.md §4.3), and for
//! protocols that it does not have as the protocol wants them.
//!
//! Precedence: base fields, then `ignore_eos`, then sampling flags, then `--extra-body`. A field
//! that is set again keeps its place.

use plimsoll_core::protocol::{self, Extras, Protocol};
use plimsoll_load::source::{Built, RequestSource};

use super::args::Parsed;
use super::dataset::{Dataset, Item, Prompt, Style, WARMUP_INDEX};
use super::failure::{BenchFault, Failure};
use super::json::{Json, Object};

/// The flags of the request body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BodyFlags {
    ignore_eos: bool,
    logprobs: Option<i64>,
    /// Sampling flags.
    sampling: Object,
    /// `--extra-body`, over them.
    extra: Object,
}

impl BodyFlags {
    /// Reads the flags; random prompts force `ignore_eos`, as the answer's length is the workload.
    pub(crate) fn read(parsed: &Parsed, random: bool) -> Result<Self, Failure> {
        let mut sampling = Object::default();
        let floats = [
            "temperature",
            "top-p",
            "min-p",
            "frequency-penalty",
            "presence-penalty",
            "repetition-penalty",
        ];
        for name in floats {
            if let Some(value) = parsed.float(name) {
                sampling.set(name.replace('-', "_"), value);
            }
        }
        if let Some(value) = parsed.int("top-k") {
            sampling.set("top_k", value);
        }
        let extra = match parsed.json("extra-body") {
            None | Some(Json::Null) => Object::default(),
            Some(Json::Object(object)) => object.clone(),
            Some(_) => return Err(BenchFault::NoObject.into()),
        };
        Ok(Self {
            ignore_eos: random || parsed.on("ignore-eos"),
            logprobs: parsed.int("logprobs"),
            sampling,
            extra,
        })
    }
}

/// Writes request bodies.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// Path of the requests.
    pub(crate) path: String,
    /// Model name in the requests.
    pub(crate) model: String,
    /// The flags of the body.
    pub(crate) flags: BodyFlags,
    /// Start of every `x-request-id`.
    pub(crate) id_prefix: String,
}

impl Writer {
    /// The request that asks `item` and is known as `id`.
    pub(crate) fn request(&self, item: &Item, id: &str) -> Built {
        Built {
            path: self.path.clone(),
            headers: vec![("x-request-id".to_owned(), format!("{}{id}", self.id_prefix))],
            body: self.body(item).to_text().into_bytes(),
            asked_prompt_tokens: item.input_tokens,
            asked_output_tokens: item.output_tokens,
        }
    }

    fn body(&self, item: &Item) -> Object {
        if !Protocol::USUAL.contains(&self.protocol) {
            return self.own_body(item);
        }
        let mut body = Object::default();
        body.set("model", self.model.as_str());
        if self.protocol == Protocol::Completions {
            body.set("prompt", prompt(&item.prompt));
            body.set("repetition_penalty", 1.0);
            body.set("max_tokens", item.output_tokens);
            body.set("logprobs", self.flags.logprobs);
        } else {
            let mut part = Object::default();
            part.set("type", "text");
            part.set("text", prompt(&item.prompt));
            let mut message = Object::default();
            message.set("role", "user");
            message.set("content", vec![Json::Object(part)]);
            body.set("messages", vec![Json::Object(message)]);
            body.set("max_completion_tokens", item.output_tokens);
        }
        body.set("stream", true);
        let mut options = Object::default();
        options.set("include_usage", true);
        body.set("stream_options", options);
        if self.flags.ignore_eos {
            body.set("ignore_eos", true);
        }
        body.update(&self.flags.sampling);
        body.update(&self.flags.extra);
        body
    }

    /// The body of a protocol that vLLM does not have. `--extra-body` goes into its objects: one
    /// option more must not take the others away.
    fn own_body(&self, item: &Item) -> Object {
        let sampling = self.flags.sampling.iter();
        let sampling: Vec<(&str, String)> = sampling
            .map(|(name, value)| (name, value.to_text()))
            .collect();
        let prompt = match &item.prompt {
            Prompt::Text(text) => protocol::Prompt::Text(text),
            Prompt::Ids(ids) => protocol::Prompt::TokenIds(ids),
        };
        let request = protocol::Request {
            model: &self.model,
            prompt,
            output_tokens: item.output_tokens,
            extras: Extras::NONE,
            sampling: &sampling,
            extra: None,
        };
        let body = Json::parse(&self.protocol.body(&request));
        let mut body = match body {
            Ok(Json::Object(body)) => body,
            _ => Object::default(),
        };
        body.merge(&self.flags.extra);
        body
    }
}

fn prompt(prompt: &Prompt) -> Json {
    match prompt {
        Prompt::Text(text) => Json::from(text.as_str()),
        Prompt::Ids(ids) => {
            let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
            Json::Raw(format!("[{}]", ids.join(", ")))
        }
    }
}

/// The requests of a run, built when they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// Writes the bodies.
    pub(crate) writer: Writer,
    /// What they ask.
    pub(crate) dataset: Dataset,
    /// How random prompts are written.
    pub(crate) style: Style,
}

impl RequestSource for Requests {
    fn build(&self, index: u64) -> Built {
        let item = self.dataset.item(index, self.style);
        let id = match index.checked_sub(WARMUP_INDEX) {
            Some(number) => format!("warmup-{number}"),
            None => index.to_string(),
        };
        self.writer.request(&item, &id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    fn writer(line: &str, protocol: Protocol, random: bool) -> Writer {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Command::Run(parsed) = parse(&words).unwrap() else {
            panic!("help");
        };
        Writer {
            protocol,
            path: "/p".to_owned(),
            model: "m".to_owned(),
            flags: BodyFlags::read(&parsed, random).unwrap(),
            id_prefix: "bench-".to_owned(),
        }
    }

    fn item(prompt: Prompt) -> Item {
        Item {
            prompt,
            input_tokens: 3,
            output_tokens: 5,
        }
    }

    fn text(writer: &Writer, prompt: Prompt) -> String {
        String::from_utf8(writer.request(&item(prompt), "7").body).unwrap()
    }

    #[test]
    fn completions_have_the_fields_of_vllm_in_order() {
        let writer = writer("", Protocol::Completions, true);
        assert_eq!(
            text(&writer, Prompt::Ids(vec![1, 2, 3])),
            r#"{"model": "m", "prompt": [1, 2, 3], "repetition_penalty": 1.0, "max_tokens": 5, "logprobs": null, "stream": true, "stream_options": {"include_usage": true}, "ignore_eos": true}"#
        );
        let built = writer.request(&item(Prompt::Ids(vec![1])), "7");
        assert_eq!(
            built.headers,
            [("x-request-id".to_owned(), "bench-7".to_owned())]
        );
        assert_eq!(
            (built.asked_prompt_tokens, built.asked_output_tokens),
            (3, 5)
        );
    }

    #[test]
    fn chats_have_one_user_turn_with_a_list() {
        let writer = writer("", Protocol::Chat, false);
        assert_eq!(
            text(&writer, Prompt::Text("a".to_owned())),
            r#"{"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "max_completion_tokens": 5, "stream": true, "stream_options": {"include_usage": true}}"#
        );
    }

    #[test]
    fn other_protocols_have_bodies_of_their_own() {
        let line = "--temperature 0 --repetition-penalty 1.1 --extra-body {\"options\":{\"num_ctx\":4096},\"think\":false}";
        let ollama = writer(line, Protocol::Ollama, true);
        assert_eq!(
            text(&ollama, Prompt::Text("a".to_owned())),
            r#"{"model": "m", "messages": [{"role": "user", "content": "a"}], "options": {"num_predict": 5, "temperature": 0.0, "repeat_penalty": 1.1, "num_ctx": 4096}, "stream": true, "think": false}"#
        );
        let anthropic = writer("--top-k 3", Protocol::Anthropic, true);
        assert_eq!(
            text(&anthropic, Prompt::Text("a".to_owned())),
            r#"{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 5, "top_k": 3, "stream": true}"#
        );
    }

    #[test]
    fn later_settings_win_and_keep_their_place() {
        let writer = writer(
            "--ignore-eos --logprobs 2 --temperature 0 --repetition-penalty 1.1 \
             --extra-body {\"max_tokens\":9,\"z\":[]} --extra-body.temperature 0.5",
            Protocol::Completions,
            false,
        );
        assert_eq!(
            text(&writer, Prompt::Text("a".to_owned())),
            r#"{"model": "m", "prompt": "a", "repetition_penalty": 1.1, "max_tokens": 9, "logprobs": 2, "stream": true, "stream_options": {"include_usage": true}, "ignore_eos": true, "temperature": 0.5, "z": []}"#
        );
    }

    #[test]
    fn warm_ups_have_ids_of_their_own() {
        let words: Vec<String> = Vec::new();
        let Command::Run(parsed) = parse(&words).unwrap() else {
            panic!("help");
        };
        let requests = Requests {
            writer: writer("", Protocol::Completions, true),
            dataset: Dataset::read(&parsed, 1, &mut |_| ()).unwrap(),
            style: Style::TokenIds,
        };
        assert_eq!(
            requests.build(WARMUP_INDEX + 2).headers[0].1,
            "bench-warmup-2"
        );
        assert_eq!(requests.build(4).headers[0].1, "bench-4");
        assert_ne!(requests.build(0).body, requests.build(WARMUP_INDEX).body);
    }
}
