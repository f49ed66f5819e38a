//! Arguments of the body of each request.

use clap::Args;
use plimsoll_core::run::BodyPlan;
use serde_json::{Map, Value};

use super::value::finite;
use crate::bench::{Json, Object, put_dotted};
use crate::fault::ValueFault;

/// What each request asks beside its lengths, by the names that vLLM has for it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BodyArgs {
    /// Fields for the body of each request, as JSON; or one at a time: --extra-body.a.b VALUE.
    #[arg(long, value_name = "JSON", value_parser = ExtraBody::parse)]
    pub(crate) extra_body: Vec<ExtraBody>,
    // The names of fields want no backticks on a terminal: so these helps are no doc comments.
    /// Temperature of the sampling; 0 if not given.
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    temperature: Option<f64>,
    #[arg(long, help = "Nucleus sampling: top_p", value_name = "NUMBER", value_parser = finite)]
    top_p: Option<f64>,
    #[arg(
        long,
        help = "top_k of the sampling",
        value_name = "N",
        allow_negative_numbers = true
    )]
    top_k: Option<i64>,
    #[arg(long, help = "min_p of the sampling", value_name = "NUMBER", value_parser = finite)]
    min_p: Option<f64>,
    #[arg(long, help = "frequency_penalty of the sampling", value_name = "NUMBER", value_parser = finite, allow_negative_numbers = true)]
    frequency_penalty: Option<f64>,
    #[arg(long, help = "presence_penalty of the sampling", value_name = "NUMBER", value_parser = finite, allow_negative_numbers = true)]
    presence_penalty: Option<f64>,
    #[arg(long, help = "repetition_penalty of the sampling", value_name = "NUMBER", value_parser = finite)]
    repetition_penalty: Option<f64>,
    #[arg(
        long,
        help = "Answers may end before the length asked for: no ignore_eos"
    )]
    no_ignore_eos: bool,
}

impl BodyArgs {
    /// What they mean. Of a field that is given twice the last one counts.
    pub(crate) fn plan(&self) -> BodyPlan {
        let numbers = [
            ("temperature", self.temperature),
            ("top_p", self.top_p),
            ("min_p", self.min_p),
            ("frequency_penalty", self.frequency_penalty),
            ("presence_penalty", self.presence_penalty),
            ("repetition_penalty", self.repetition_penalty),
        ];
        let numbers = numbers.into_iter();
        let numbers = numbers.filter_map(|(name, value)| Some((name, Value::from(value?))));
        let top_k = self.top_k.map(|value| ("top_k", Value::from(value)));
        let sampling = numbers.chain(top_k);
        BodyPlan {
            sampling: sampling
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            extra: ExtraBody::all(&self.extra_body),
            may_end_early: self.no_ignore_eos,
        }
    }
}

/// One `--extra-body`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExtraBody {
    /// Fields by name.
    Fields(Object),
    /// A value and its place.
    At { path: String, text: String },
}

/// How `--extra-body.a.b VALUE` reaches the parser of arguments, which knows no such names.
const DOTTED: &str = "--extra-body.";

impl ExtraBody {
    fn parse(text: &str) -> Result<Self, ValueFault> {
        if let Some((path, text)) = text.strip_prefix('.').and_then(|rest| rest.split_once('=')) {
            let (path, text) = (path.to_owned(), text.to_owned());
            return Ok(Self::At { path, text });
        }
        match Json::parse(text) {
            Ok(Json::Object(fields)) => Ok(Self::Fields(fields)),
            _ => Err(ValueFault::NotAnObject),
        }
    }

    fn all(given: &[Self]) -> Map<String, Value> {
        let mut body = Json::Object(Object::default());
        for one in given {
            match (one, &mut body) {
                (Self::Fields(fields), Json::Object(body)) => body.merge(fields),
                (Self::At { path, text }, body) => put_dotted(body, path, text),
                _ => {}
            }
        }
        serde_json::from_str(&body.to_text()).unwrap_or_default()
    }
}

/// A command line in which each `--extra-body.a.b VALUE` is one argument with a value.
pub(super) fn without_dots(line: &[String]) -> Vec<String> {
    let mut words = line.iter();
    let mut plain = Vec::with_capacity(line.len());
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix(DOTTED) else {
            plain.push(word.clone());
            continue;
        };
        let value = match rest.split_once('=') {
            Some(_) => Some(rest.to_owned()),
            None => words.next().map(|value| format!("{rest}={value}")),
        };
        // Without a value it stays as it was typed, and is refused by that name.
        plain.push(value.map_or_else(|| word.clone(), |value| format!("--extra-body=.{value}")));
    }
    plain
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        body: BodyArgs,
    }

    fn plan(words: &[&str]) -> Result<BodyPlan, clap::Error> {
        let line: Vec<String> = [&["x"], words]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        Line::try_parse_from(without_dots(&line)).map(|line| line.body.plan())
    }

    #[test]
    fn fields_are_given_as_json_or_one_by_one() {
        let words = [
            "--extra-body",
            r#"{"options":{"num_ctx":4096},"think":true}"#,
            "--extra-body.think",
            "false",
            "--extra-body.options.seed=7",
            "--extra-body.stop+",
            "a",
            "--extra-body.stop+=b",
            "--temperature",
            "0.5",
            "--top-k=-1",
            "--no-ignore-eos",
        ];
        let plan = plan(&words).unwrap();
        assert_eq!(
            Value::Object(plan.extra),
            json!({"options": {"num_ctx": 4096, "seed": 7}, "think": false, "stop": ["a", "b"]})
        );
        assert_eq!(
            Value::Object(plan.sampling),
            json!({"temperature": 0.5, "top_k": -1})
        );
        assert!(plan.may_end_early);
        assert_eq!(self::plan(&[]).unwrap(), BodyPlan::default());
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for bad in [
            &["--extra-body", "[1]"][..],
            &["--extra-body", "{"],
            &["--extra-body.a"],
            &["--temperature", "warm"],
            &["--temperature", "inf"],
        ] {
            assert!(plan(bad).is_err(), "{bad:?}");
        }
    }
}
