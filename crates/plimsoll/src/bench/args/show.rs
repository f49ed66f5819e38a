//! What the parser says: the help, the namespace line, the distance of two names.

use plimsoll_load::target::shown_address;

use super::flag::{Flag, Kind, Status};
use super::parsed::{Parsed, Value};
use super::table::FLAGS;
use crate::bench::json::{Json, python_float};

/// The help text.
pub(crate) fn help() -> String {
    let mut lines = vec![
        "usage: plimsoll bench serve [options]\n\n\
         Measures an OpenAI-compatible server as `vllm bench serve` does, with the same options,\n\
         output and result file. Underscores are dashes, and names may be cut short.\n\noptions:"
            .to_owned(),
    ];
    for flag in FLAGS {
        if let Status::Refused(_) = flag.status {
            continue;
        }
        let default = flag
            .default
            .map(|default| format!(" (default {default})"))
            .unwrap_or_default();
        lines.push(format!("  {:<34} {}{default}", form(flag), flag.help));
    }
    lines.push("\nknown and not offered, with what to do instead:".to_owned());
    for flag in FLAGS {
        if let Status::Refused(instead) = flag.status {
            lines.push(format!("  {:<34} {instead}", format!("--{}", flag.name)));
        }
    }
    lines.join("\n") + "\n"
}

fn form(flag: &Flag) -> String {
    let value = flag
        .name
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    match flag.kind {
        Kind::Switch | Kind::OnOff => format!("--{}", flag.name),
        Kind::One => format!("--{} {value}", flag.name),
        Kind::Many0 => format!("--{} [{value} ...]", flag.name),
        Kind::Many1 => format!("--{} {value} [...]", flag.name),
    }
}

impl Parsed {
    /// The line with all values that vLLM prints first; headers do not show, nor what is
    /// secret in the address.
    pub(crate) fn namespace(&self) -> String {
        let values = FLAGS.iter().map(|flag| {
            let value = match self.value(flag.name) {
                Some(_) if flag.name == "header" => "'***'".to_owned(),
                // A login may stand in it, and keys in its query.
                Some(Value::Text(address)) if flag.name == "base-url" => {
                    repr_text(&shown_address(address))
                }
                Some(value) => repr(value),
                None => "None".to_owned(),
            };
            format!(", {}={value}", flag.name.replace('-', "_"))
        });
        let values: Vec<String> = values.collect();
        format!(
            "Namespace(subparser='bench', bench_type='serve'{})",
            values.concat()
        )
    }
}

fn repr(value: &Value) -> String {
    match value {
        Value::Switch(on) => repr_json(&Json::Bool(*on)),
        Value::Text(text) => repr_text(text),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => python_float(*number),
        Value::Json(json) => repr_json(json),
        Value::List(words) => {
            let words: Vec<String> = words.iter().map(|word| repr_text(word)).collect();
            format!("[{}]", words.join(", "))
        }
    }
}

fn repr_json(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Str(text) => repr_text(text),
        other => other.to_text(),
    }
}

/// A text as Python shows it, on one line.
fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

/// Levenshtein distance.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
