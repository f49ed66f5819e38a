//! The model list.

use std::time::Duration;

use plimsoll_core::negotiation::is_about_the_key;
use plimsoll_core::protocol::{Protocol, ServedModel};
use plimsoll_core::quote::{is_plain, quoted};
use plimsoll_core::run::HttpVersion;

use super::PreflightError;
use super::probe::{Prober, redirected};
use crate::fetch::{FetchError, Response};
use crate::target::{HttpChoice, Secrets, Target};

/// A list that is not needed is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The model list, as the first answer gave it: so it also says which version of HTTP there is.
/// Where no API is named, `OpenAI`'s list comes first, and those of the others where it is missing.
/// With a model given no list is needed: whatever stands in its place is passed over.
pub(super) fn list(
    prober: &mut Prober<'_>,
) -> Result<(Vec<ServedModel>, HttpVersion), PreflightError> {
    let (protocol, given) = (prober.options.protocol, prober.options.model.is_some());
    let first = protocol.unwrap_or_default();
    let target = prober.target.clone().speaking(first);
    let path = first.models().path;
    let patience = prober.options.timeout;
    let patience = if given {
        patience.min(PATIENCE)
    } else {
        patience
    };
    let found = match prober.get(&target, path, patience) {
        Ok(found) => found,
        Err(PreflightError::Fetch(fault)) if given && is_of_the_page(&fault) => {
            let http = known_version(&target).ok_or(fault)?;
            return Ok((Vec::new(), http));
        }
        Err(fault) => return Err(fault),
    };
    let page = found.response.clone();
    let listed =
        redirected(&target, path, &found).and_then(|()| listed(&target.url_of(path), first, &page));
    prober.target = found.target;
    let models = match listed {
        Ok(models) => models,
        Err(_) if given => Vec::new(),
        Err(fault) => return Err(fault),
    };
    if protocol.is_some() || page.is_ok() {
        return Ok((models, page.http));
    }
    Ok((elsewhere(prober, first), page.http))
}

/// Whether a server that is there has no page for this: others may be answered.
fn is_of_the_page(fault: &FetchError) -> bool {
    matches!(
        fault,
        FetchError::TimedOut { .. } | FetchError::Broken { .. }
    )
}

/// The version of HTTP that is spoken, where that is known without an answer: over TLS the server
/// may have a say in it.
fn known_version(target: &Target) -> Option<HttpVersion> {
    match target.http {
        HttpChoice::Http1 => Some(HttpVersion::Http1),
        _ if target.tls => None,
        HttpChoice::Http2 => Some(HttpVersion::Http2),
        HttpChoice::Auto => Some(HttpVersion::Http1),
    }
}

/// The models by another list than that of `first`; none where there is no such list.
fn elsewhere(prober: &mut Prober<'_>, first: Protocol) -> Vec<ServedModel> {
    let mut others = Protocol::ALL
        .into_iter()
        .filter(|other| other.models().path != first.models().path);
    let found = others.find_map(|other| {
        let target = prober.target.clone().speaking(other);
        let patience = prober.options.timeout;
        let page = prober.get(&target, other.models().path, patience);
        let page = page.ok()?.response;
        page.is_ok().then(|| other.models().read(&page.body))?
    });
    found.unwrap_or_default()
}

fn listed(
    url: &str,
    protocol: Protocol,
    answer: &Response,
) -> Result<Vec<ServedModel>, PreflightError> {
    let url = url.to_owned();
    let said = || quoted(&answer.text());
    match answer.status {
        status @ (401 | 403) => {
            let said = if answer.is_page() {
                String::new()
            } else {
                said()
            };
            Err(PreflightError::Unauthorized {
                is_key: is_about_the_key(status, &said),
                is_list: true,
                status,
                url,
                protocol,
                said,
            })
        }
        // Some gateways have no model list; then the name must be given.
        404 | 405 | 501 => Ok(Vec::new()),
        _ if answer.is_page() => Err(PreflightError::WebPage { url }),
        200..=299 => {
            let models = protocol.models().read(&answer.body);
            models.ok_or(PreflightError::NotAnApi { url })
        }
        status => Err(PreflightError::NoList {
            url,
            status,
            said: said(),
        }),
    }
}

/// Parts of the names of models that generate no text.
const NO_TEXT: [&str; 2] = ["embed", "rerank"];

/// The model to use: the one given, whether it is listed or an alias that is not, else the first one
/// that may generate text.
pub(super) fn choose(
    models: &[ServedModel],
    given: Option<&str>,
) -> Result<ServedModel, PreflightError> {
    let is_text = |model: &&ServedModel| {
        let name = model.id.to_lowercase();
        !NO_TEXT.iter().any(|part| name.contains(part))
    };
    let Some(name) = given else {
        let first = models.iter().find(is_text).or(models.first());
        let first = first.ok_or(PreflightError::NoModels)?;
        return if is_plain(&first.id) {
            Ok(first.clone())
        } else {
            Err(PreflightError::ModelName(quoted(&first.id)))
        };
    };
    let listed = models.iter().find(|model| model.id == name);
    Ok(listed.cloned().unwrap_or_else(|| ServedModel {
        id: name.to_owned(),
        ..ServedModel::default()
    }))
}

/// The models of a server that may have put a secret into their names. What is only shown is made safe
/// to show.
pub fn without_secrets(models: Vec<ServedModel>, secrets: &Secrets) -> Vec<ServedModel> {
    let hide = |name: String| secrets.hide_in_name(&name);
    let models = models.into_iter().map(|model| ServedModel {
        id: hide(model.id),
        root: model.root.map(hide),
        kind: model.kind.map(hide).as_deref().map(quoted),
        ..model
    });
    models.collect()
}

/// The names of the models, for a person.
pub(super) fn names(models: &[ServedModel]) -> String {
    let names: Vec<String> = models.iter().map(|model| quoted(&model.id)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_one_given_or_the_first_that_writes() {
        let served = |id: &str| ServedModel {
            id: id.to_owned(),
            max_tokens: Some(9),
            ..ServedModel::default()
        };
        let models = [served("text-embedding-3"), served("a"), served("b")];
        assert_eq!(choose(&models, None).unwrap().id, "a");
        assert_eq!(choose(&models[..1], None).unwrap().id, "text-embedding-3");
        assert_eq!(choose(&models, Some("b")).unwrap().max_tokens, Some(9));
        let alias = choose(&models, Some("c")).unwrap();
        assert_eq!((alias.id.as_str(), alias.max_tokens), ("c", None));
        assert!(choose(&[], None).is_err());
        for odd in ["a\nb", "a\u{1b}[31m", &"a".repeat(2_000)] {
            let fault = choose(&[served(odd)], None).unwrap_err().to_string();
            assert!(fault.contains("is no name") && fault.len() < 400, "{fault}");
        }
        assert_eq!(choose(&[], Some("x")).unwrap().id, "x");
        assert_eq!(names(&models[1..]), "a, b");
    }
}
