//! Where on its host an API stands: from an address as servers, gateways and vendors' pages write it.

use plimsoll_core::protocol::Protocol;

/// The root of `OpenAI`'s and Anthropic's API, as their paths have it.
pub(super) const USUAL_ROOT: &str = "/v1";

/// A path, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// What comes before the root.
    pub(super) base: &'a str,
    /// What stands where paths have `/v1`.
    pub(super) root: &'a str,
    /// The API whose path of requests it is.
    pub(super) names: Option<Protocol>,
}

impl<'a> Place<'a> {
    /// Takes apart a path without a query: a base alone, one that ends in the API's version, or a
    /// whole path of requests or of the model list.
    pub(super) fn of(path: &'a str) -> Self {
        let path = path.trim_end_matches('/');
        let (rest, names, is_whole) = without_endpoint(path);
        let rest = rest.trim_end_matches('/');
        let (base, last) = rest.rsplit_once('/').unwrap_or((rest, ""));
        let (base, root) = if is_version(last) {
            (base, &rest[base.len()..])
        } else if is_whole || is_taken_whole(rest) {
            (rest, "")
        } else {
            (rest, USUAL_ROOT)
        };
        Self { base, root, names }
    }
}

/// Takes off the path of an endpoint. Also its API, and whether what is left is all that stands
/// before the endpoint: Ollama's has no root to replace.
fn without_endpoint(path: &str) -> (&str, Option<Protocol>, bool) {
    // Completions' path is the end of chat's.
    let order = [
        Protocol::Chat,
        Protocol::Completions,
        Protocol::Anthropic,
        Protocol::Ollama,
    ];
    for protocol in order {
        for (whole, names) in [
            (protocol.path(), Some(protocol)),
            (protocol.models().path, None),
        ] {
            let below = whole.strip_prefix(USUAL_ROOT);
            if let Some(rest) = path.strip_suffix(below.unwrap_or(whole)) {
                return (rest, names, below.is_some());
            }
        }
    }
    (path, None, false)
}

/// Whether a part of a path is the version of an API: `v1`, `v4`, `v1beta`.
fn is_version(part: &str) -> bool {
    let Some(number) = part.strip_prefix('v') else {
        return false;
    };
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_stage = |stage: &str| {
        let after = rest.strip_prefix(stage);
        after.is_some_and(|after| after.chars().all(|c| c.is_ascii_digit()))
    };
    rest.len() < number.len() && (rest.is_empty() || is_stage("beta") || is_stage("alpha"))
}

/// Whether nothing is missing between a base and the endpoint: a version stands further up, as in
/// Google's `/v1beta/openai`, or it is a deployment of Azure's.
fn is_taken_whole(base: &str) -> bool {
    base.split('/').any(is_version) || base.contains("/openai/deployments/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_stand_where_their_addresses_say() {
        let table = [
            ("", "", "/v1"),
            ("/", "", "/v1"),
            ("/v1", "", "/v1"),
            ("/v1/models", "", "/v1"),
            ("/team", "/team", "/v1"),
            ("/team/v1/", "/team", "/v1"),
            ("/version", "/version", "/v1"),
            // Ark, Zhipu, DashScope, Qianfan, OpenRouter.
            ("/api/v3", "/api", "/v3"),
            ("/api/paas/v4", "/api/paas", "/v4"),
            ("/compatible-mode/v1", "/compatible-mode", "/v1"),
            ("/v2", "", "/v2"),
            ("/api/v1", "/api", "/v1"),
            // Google, Azure.
            ("/v1beta/openai", "/v1beta/openai", ""),
            (
                "/openai/deployments/gpt-4o",
                "/openai/deployments/gpt-4o",
                "",
            ),
            // Whole endpoints, as vendors' pages show them.
            ("/api/v3/chat/completions", "/api", "/v3"),
            ("/chat/completions", "", ""),
            (
                "/openai/deployments/gpt-4o/chat/completions",
                "/openai/deployments/gpt-4o",
                "",
            ),
            ("/team/v1/messages", "/team", "/v1"),
            ("/team/api/chat", "/team", "/v1"),
            ("/api/tags", "", "/v1"),
        ];
        for (path, base, root) in table {
            let place = Place::of(path);
            assert_eq!((place.base, place.root), (base, root), "{path}");
        }
    }

    #[test]
    fn a_whole_endpoint_names_its_api() {
        let table = [
            ("/v1/chat/completions", Some(Protocol::Chat)),
            ("/api/paas/v4/chat/completions", Some(Protocol::Chat)),
            ("/v1/completions", Some(Protocol::Completions)),
            ("/v1/messages", Some(Protocol::Anthropic)),
            ("/api/chat", Some(Protocol::Ollama)),
            ("/v1/models", None),
            ("/v1", None),
        ];
        for (path, names) in table {
            assert_eq!(Place::of(path).names, names, "{path}");
        }
    }
}
