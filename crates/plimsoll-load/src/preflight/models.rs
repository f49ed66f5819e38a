//! The model list.

use std::time::Duration;

use plimsoll_core::run::HttpVersion;
use serde_json::Value;

use super::PreflightError;
use crate::fetch::{self, Response};
use crate::target::Target;

/// A model that the server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServedModel {
    /// The name to send.
    pub id: String,
    /// Where it was loaded from, if the server says.
    pub root: Option<String>,
    /// Longest context, tokens.
    pub max_tokens: Option<u32>,
    /// Kind of server, by its own words.
    pub kind: Option<String>,
}

/// The model list, as the first answer gave it: so it also says which version of HTTP there is.
pub(super) fn list(
    target: &Target,
    timeout: Duration,
) -> Result<(Vec<ServedModel>, HttpVersion), PreflightError> {
    let answer = fetch::get(target, "/v1/models", timeout)?;
    let http = answer.http;
    Ok((listed(target, answer)?, http))
}

fn listed(target: &Target, answer: Response) -> Result<Vec<ServedModel>, PreflightError> {
    let url = || format!("{}/v1/models", target.url());
    match answer.status {
        401 | 403 => Err(PreflightError::Unauthorized {
            status: answer.status,
            url: url(),
        }),
        300..=399 => {
            let to = answer.location;
            Err(PreflightError::Redirected { url: url(), to })
        }
        _ if answer.is_page() => Err(PreflightError::WebPage { url: url() }),
        200..=299 => {
            read_models(&answer.body).ok_or_else(|| PreflightError::NotAnApi { url: url() })
        }
        // Some gateways have no model list; then the name must be given.
        _ => Ok(Vec::new()),
    }
}

/// The models in the body of an answer of `/v1/models`; `None` if it is no list of models.
pub fn read_models(body: &[u8]) -> Option<Vec<ServedModel>> {
    let page: Value = serde_json::from_slice(body).ok()?;
    let models = page.get("data")?.as_array()?;
    Some(models.iter().filter_map(model).collect())
}

fn model(entry: &Value) -> Option<ServedModel> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let tokens = |value: Option<&Value>| {
        value
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    let meta = entry.get("meta");
    Some(ServedModel {
        id: text("id")?,
        root: text("root"),
        max_tokens: tokens(entry.get("max_model_len"))
            .or_else(|| tokens(meta.and_then(|meta| meta.get("n_ctx")))),
        kind: text("owned_by").map(|owner| {
            if owner == "llamacpp" {
                "llama.cpp".to_owned()
            } else {
                owner
            }
        }),
    })
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
    fn the_lists_of_known_servers_are_read() {
        let vllm = br#"{"object":"list","data":[{"id":"m","owned_by":"vllm","root":"/models/m","max_model_len":8192}]}"#;
        let models = read_models(vllm).unwrap();
        assert_eq!(
            (models[0].id.as_str(), models[0].max_tokens),
            ("m", Some(8_192))
        );
        let llama =
            br#"{"models":[],"data":[{"id":"s","owned_by":"llamacpp","meta":{"n_ctx":1024}}]}"#;
        let models = read_models(llama).unwrap();
        assert_eq!(
            (models[0].kind.as_deref(), models[0].max_tokens),
            (Some("llama.cpp"), Some(1_024))
        );
        assert_eq!(read_models(b"{}"), None);
    }

    #[test]
    fn the_model_is_the_one_given_or_the_first() {
        let models = read_models(br#"{"data":[{"id":"a"},{"id":"b"}]}"#).unwrap();
        assert_eq!(choose(&models, None).unwrap().id, "a");
        assert_eq!(choose(&models, Some("b")).unwrap().id, "b");
        let error = choose(&models, Some("c")).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");
        assert!(choose(&[], None).is_err());
        assert_eq!(choose(&[], Some("x")).unwrap().id, "x");
    }
}
