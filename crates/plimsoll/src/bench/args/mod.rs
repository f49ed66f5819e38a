//! Arguments as Python's `argparse` with vLLM's additions reads them (compat-vllm.md §1.1):
//! underscores for dashes, unambiguous abbreviations, `--key=value`, greedy lists, dotted JSON.
//! What a flag is stands in one table; this reads words by it and knows no flag.

mod flag;
mod number;
mod parsed;
mod show;
mod table;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub(crate) use number::float;
pub(crate) use parsed::Parsed;
pub(crate) use show::help;

use flag::{Flag, Kind, Status, Type};
use parsed::Value;
use table::FLAGS;

use super::failure::{BenchFault, Failure, WayOut};
use super::json::{Json, Object};

/// What the words ask for.
#[derive(Debug)]
pub(crate) enum Command {
    /// To run with these values.
    Run(Parsed),
    /// To print the options.
    Help,
}

/// Reads the words after `bench serve`.
///
/// # Errors
/// A flag is unknown, ambiguous, refused, or has no or the wrong value: exit code 2.
pub(crate) fn parse(argv: &[String]) -> Result<Command, Failure> {
    let mut words: VecDeque<&str> = argv.iter().map(String::as_str).collect();
    let mut parsed = Parsed::defaults(FLAGS)?;
    while let Some(word) = words.pop_front() {
        if matches!(word, "-h" | "--help") {
            return Ok(Command::Help);
        }
        if !looks_like_flag(word) {
            return Err(BenchFault::Unrecognized(word.to_owned()).into());
        }
        let (name, inline) = split(word);
        if let Some((key, path)) = name.split_once('.') {
            dotted(&mut parsed, key, path, inline, &mut words)?;
        } else {
            plain(&mut parsed, &name, inline, &mut words)?;
        }
    }
    Ok(Command::Run(parsed))
}

/// Whether a word starts a flag: a lone dash, a negative number and a text with spaces do not.
fn looks_like_flag(word: &str) -> bool {
    word.len() > 1
        && word.starts_with('-')
        && float(word).is_none()
        && (!word.contains(' ') || word.contains('='))
}

/// Name and inline value of a word; underscores of the name are dashes before its first dot.
fn split(word: &str) -> (String, Option<&str>) {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let (key, path) = name.split_at(name.find('.').unwrap_or(name.len()));
    (key.replace('_', "-") + path, value)
}

fn plain<'a>(
    parsed: &mut Parsed,
    name: &str,
    inline: Option<&'a str>,
    words: &mut VecDeque<&'a str>,
) -> Result<(), Failure> {
    let (flag, positive) = resolve(name)?;
    let values = match flag.kind {
        Kind::Switch | Kind::OnOff => {
            if let Some(value) = inline {
                return Err(BenchFault::IgnoredArgument {
                    name: name.to_owned(),
                    value: value.to_owned(),
                }
                .into());
            }
            refuse(flag, &[], positive)?;
            parsed.set(flag.name, Value::Switch(positive));
            return Ok(());
        }
        Kind::One => vec![one_value(flag, inline, words)?],
        Kind::Many0 | Kind::Many1 => many_values(flag, inline, words)?,
    };
    refuse(flag, &values, positive)?;
    let value = match flag.kind {
        Kind::One => typed(flag, values[0])?,
        _ => Value::List(values.into_iter().map(str::to_owned).collect()),
    };
    parsed.set(flag.name, value);
    Ok(())
}

/// The next word, if it is no flag.
fn next_value<'a>(words: &mut VecDeque<&'a str>) -> Option<&'a str> {
    let is_value = words.front().is_some_and(|word| !looks_like_flag(word));
    if is_value { words.pop_front() } else { None }
}

fn one_value<'a>(
    flag: &Flag,
    inline: Option<&'a str>,
    words: &mut VecDeque<&'a str>,
) -> Result<&'a str, Failure> {
    inline
        .or_else(|| next_value(words))
        .ok_or_else(|| BenchFault::ExpectedOne(format!("--{}", flag.name)).into())
}

fn many_values<'a>(
    flag: &Flag,
    inline: Option<&'a str>,
    words: &mut VecDeque<&'a str>,
) -> Result<Vec<&'a str>, Failure> {
    let mut values: Vec<&str> = inline.into_iter().collect();
    while inline.is_none() {
        match next_value(words) {
            Some(value) => values.push(value),
            None => break,
        }
    }
    if values.is_empty() && flag.kind == Kind::Many1 {
        return Err(BenchFault::ExpectedSome(format!("--{}", flag.name)).into());
    }
    Ok(values)
}

/// `--key.a.b VALUE` puts VALUE into the JSON of `--key`; `--key.a+ VALUE` appends it to a list.
fn dotted(
    parsed: &mut Parsed,
    key: &str,
    path: &str,
    inline: Option<&str>,
    words: &mut VecDeque<&str>,
) -> Result<(), Failure> {
    let (flag, _) = resolve(key)?;
    refuse(flag, &[], true)?;
    if flag.of != Type::Json {
        return Err(BenchFault::NoDottedKeys(format!("--{}", flag.name)).into());
    }
    let text = inline
        .or_else(|| words.pop_front())
        .ok_or_else(|| BenchFault::ExpectedOne(format!("{key}.{path}")))?;
    if path.split('.').count() > MOST_STEPS {
        return Err(BenchFault::TooDeep(key.to_owned()).into());
    }
    put_dotted(parsed.json_mut(flag.name), path, text);
    Ok(())
}

/// As deep as JSON may be nested where it is read.
const MOST_STEPS: usize = 100;

/// Puts a value into JSON at `a.b`, or appends it to the list at `a.b+`. The value is JSON, a size
/// such as `1k`, or else the text itself.
pub(crate) fn put_dotted(mut place: &mut Json, path: &str, text: &str) {
    let (path, appends) = match path.strip_suffix('+') {
        Some(path) => (path, true),
        None => (path, false),
    };
    let value = number::dotted_value(text);
    for step in path.split('.') {
        if !matches!(place, Json::Object(_)) {
            *place = Json::Object(Object::default());
        }
        let Json::Object(object) = place else {
            break;
        };
        place = object.entry(step);
    }
    match place {
        Json::List(items) if appends => items.push(value),
        other if appends => *other = Json::List(vec![value]),
        other => *other = value,
    }
}

/// The flag a name means, and whether it is not its `--no-` form.
fn resolve(name: &str) -> Result<(&'static Flag, bool), Failure> {
    let spoken = name.strip_prefix("--").unwrap_or_default();
    let forms = || {
        FLAGS.iter().flat_map(|flag| {
            let negative = (flag.kind == Kind::OnOff).then(|| (format!("no-{}", flag.name), false));
            [(flag.name.to_owned(), true)]
                .into_iter()
                .chain(negative)
                .map(move |(form, positive)| (form, flag, positive))
        })
    };
    if let Some((_, flag, positive)) = forms().find(|(form, ..)| form == spoken) {
        return Ok((flag, positive));
    }
    let candidates: Vec<_> = forms()
        .filter(|(form, flag, _)| {
            !spoken.is_empty() && flag.status != Status::Own && form.starts_with(spoken)
        })
        .collect();
    match candidates.as_slice() {
        [(_, flag, positive)] => Ok((flag, *positive)),
        [] => Err(unknown(name)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|(form, ..)| format!("--{form}"))
                .collect();
            Err(BenchFault::Ambiguous {
                name: name.to_owned(),
                names: names.join(", "),
            }
            .into())
        }
    }
}

fn unknown(name: &str) -> Failure {
    let failure = Failure::from(BenchFault::Unrecognized(name.to_owned()));
    let spoken = name.trim_start_matches('-');
    let nearest = FLAGS
        .iter()
        .map(|flag| (show::distance(spoken, flag.name), flag.name))
        .min();
    match nearest {
        Some((distance, near)) if distance <= 2 + spoken.len() / 4 => {
            failure.hint(WayOut::DidYouMean(format!("--{near}")))
        }
        _ => failure.hint(WayOut::Help),
    }
}

/// Stops at a flag that is known and not offered, unless its value changes nothing.
fn refuse(flag: &Flag, values: &[&str], positive: bool) -> Result<(), Failure> {
    let Status::Refused(instead) = flag.status else {
        return Ok(());
    };
    let same = |value: &&str, default: &str| {
        *value == default
            || matches!((float(value), float(default)), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
    };
    let harmless = !positive
        || matches!((values, flag.default), ([value], Some(default)) if same(value, default));
    if harmless {
        return Ok(());
    }
    let fault = BenchFault::NotOffered(format!("--{}", flag.name));
    Err(Failure::from(fault).hint(WayOut::Instead(instead)))
}

/// The value of a flag that takes one word.
fn typed(flag: &Flag, text: &str) -> Result<Value, Failure> {
    let invalid = |kind| BenchFault::InvalidValue {
        name: format!("--{}", flag.name),
        kind,
        value: text.to_owned(),
    };
    Ok(match flag.of {
        Type::Text => Value::Text(text.to_owned()),
        Type::Int => Value::Int(number::int(text).ok_or_else(|| invalid("int"))?),
        Type::Float => Value::Float(float(text).ok_or_else(|| invalid("float"))?),
        Type::Json => Value::Json(Json::parse(text).map_err(|_| invalid("JSON"))?),
    })
}
