//! The model list.

use std::time::Duration;

use plimsoll_core::protocol::{Protocol, ServedModel};
use plimsoll_core::run::HttpVersion;

use super::PreflightError;
use crate::fetch::{self, FetchError, Response};
use crate::target::Target;

/// The model list, as the first answer gave it: so it also says which version of HTTP there is.
/// Where no API is named, `OpenAI`'s list comes first, and those of the others where it is missing.
pub(super) fn list(
    target: &Target,
    protocol: Option<Protocol>,
    timeout: Duration,
) -> Result<(Vec<ServedModel>, HttpVersion), PreflightError> {
    let first = protocol.unwrap_or_default();
    let page = page(target, first, timeout)?;
    let models = listed(target, first, &page)?;
    if protocol.is_some() || page.is_ok() {
        return Ok((models, page.http));
    }
    Ok((elsewhere(target, first, timeout), page.http))
}

fn page(target: &Target, protocol: Protocol, timeout: Duration) -> Result<Response, FetchError> {
    let target = target.clone().speaking(protocol);
    fetch::get(&target, protocol.models().path, timeout)
}

/// The models by another list than that of `first`; none where there is no such list.
fn elsewhere(target: &Target, first: Protocol, timeout: Duration) -> Vec<ServedModel> {
    let mut others = Protocol::ALL
        .into_iter()
        .filter(|other| other.models().path != first.models().path);
    let found = others.find_map(|other| {
        let page = page(target, other, timeout).ok();
        other.models().read(&page.filter(Response::is_ok)?.body)
    });
    found.unwrap_or_default()
}

fn listed(
    target: &Target,
    protocol: Protocol,
    answer: &Response,
) -> Result<Vec<ServedModel>, PreflightError> {
    let list = protocol.models();
    let url = || format!("{}{}", target.url(), list.path);
    match answer.status {
        401 | 403 => Err(PreflightError::Unauthorized {
            status: answer.status,
            url: url(),
            protocol,
        }),
        300..=399 => {
            let to = answer.location.clone();
            Err(PreflightError::Redirected { url: url(), to })
        }
        _ if answer.is_page() => Err(PreflightError::WebPage { url: url() }),
        200..=299 => {
            let models = list.read(&answer.body);
            models.ok_or_else(|| PreflightError::NotAnApi { url: url() })
        }
        // Some gateways have no model list; then the name must be given.
        _ => Ok(Vec::new()),
    }
}

/// The model to use: the one given if it is served, else the first one.
pub(super) fn choose(
    models: &[ServedModel],
    given: Option<&str>,
) -> Result<ServedModel, PreflightError> {
    match (given, models.first()) {
        (None, Some(first)) => Ok(first.clone()),
        (None, None) => Err(PreflightError::NoModels),
        (Some(name), None) => Ok(ServedModel {
            id: name.to_owned(),
            ..ServedModel::default()
        }),
        (Some(name), Some(_)) => models
            .iter()
            .find(|model| model.id == name)
            .cloned()
            .ok_or_else(|| {
                let served: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
                PreflightError::UnknownModel {
                    name: name.to_owned(),
                    served: served.join(", "),
                }
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_one_given_or_the_first() {
        let served = |id: &str| ServedModel {
            id: id.to_owned(),
            ..ServedModel::default()
        };
        let models = [served("a"), served("b")];
        assert_eq!(choose(&models, None).unwrap().id, "a");
        assert_eq!(choose(&models, Some("b")).unwrap().id, "b");
        let error = choose(&models, Some("c")).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");
        assert!(choose(&[], None).is_err());
        assert_eq!(choose(&[], Some("x")).unwrap().id, "x");
    }
}
