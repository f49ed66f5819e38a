//! That an answer failed, and in whose words: error objects, the envelopes that gateways have of
//! their own, and reasons to end that are failures. All of them come with status 200 too.

use super::json::Json;

/// Where the words of an error stand, the best first.
const WORDS: [&str; 10] = [
    "message",
    "msg",
    "error_message",
    "error_msg",
    "errmsg",
    "status_msg",
    "detail",
    "reason",
    "description",
    "error",
];
/// Reasons to end with which a server says that it broke the answer off: vLLM's and SGLang's
/// `abort`, `error` of several gateways, `insufficient_system_resource` of `DeepSeek`. Those that
/// say what the model or a limit did (`stop`, `length`, `content_filter`) are ends.
const BROKEN_OFF: [&str; 8] = [
    "abort",
    "aborted",
    "cancel",
    "cancelled",
    "canceled",
    "error",
    "failed",
    "insufficient_system_resource",
];

/// The words of an error: an object's message, or a text, or all of it as JSON.
pub(super) fn words(error: &Json<'_>) -> String {
    match stated(error) {
        Some(words) => words,
        None => error.to_string(),
    }
}

/// The words of something that came under the name of an error: JSON or a text.
pub(super) fn words_of(bytes: &[u8]) -> String {
    match Json::parse(bytes) {
        Ok(error) => words(&error),
        Err(_) => String::from_utf8_lossy(bytes).trim().to_owned(),
    }
}

fn stated(error: &Json<'_>) -> Option<String> {
    if let Some(text) = error.text() {
        return Some(text.to_owned());
    }
    if let Some(first) = error.parts().first() {
        return stated(first);
    }
    let mut places = WORDS.iter().filter_map(|name| error.get(name));
    places.find_map(stated)
}

/// That a document is an error and no part of an answer, in the server's words. `has_parts` says
/// whether it carries a part of the answer: then only what is an error by name is one.
pub(super) fn refusal(document: &Json<'_>, has_parts: bool) -> Option<String> {
    let is_named = |name, value| document.get(name).and_then(Json::text) == Some(value);
    if let Some(error) = document.get("error").filter(|error| !error.is_nothing()) {
        return Some(words(error));
    }
    if is_named("object", "error") || is_named("type", "error") {
        return Some(stated(document).unwrap_or_else(|| "error".to_owned()));
    }
    // MiniMax.
    let base = document.get("base_resp");
    if let Some(base) = base.filter(|base| base.get("status_code").is_some_and(is_bad_code)) {
        return Some(words(base));
    }
    if has_parts {
        return None;
    }
    let has = |name| document.get(name).is_some_and(|value| !value.is_nothing());
    let is_false = |name| matches!(document.get(name), Some(Json::Bool(false)));
    let is_refusal = has("error_message")
        || has("error_msg")
        || has("errors")
        || has("detail")
        || is_false("success")
        || ["code", "status", "status_code", "errcode"]
            .iter()
            .any(|name| document.get(name).is_some_and(is_bad_code));
    is_refusal.then(|| match document.get("errors") {
        Some(errors) if !errors.is_nothing() => words(errors),
        _ => words(document),
    })
}

/// Whether a code of an envelope is none of those that mean success.
fn is_bad_code(code: &Json<'_>) -> bool {
    match code {
        Json::Number(_) => !code.is_nothing() && code.to_string() != "200",
        Json::Text(code) => {
            let code = code.trim();
            let is_zero = code.bytes().all(|digit| digit == b'0');
            let is_good = [
                "200",
                "ok",
                "success",
                "succeeded",
                "running",
                "in_progress",
                "completed",
            ]
            .iter()
            .any(|good| code.eq_ignore_ascii_case(good));
            !is_zero && !is_good
        }
        _ => false,
    }
}

/// Why an answer ended, if it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It came to an end.
    Finished,
    /// The server broke it off, in its words.
    BrokenOff(String),
}

/// What a finish reason says: a text, or an object with a `type` (SGLang); `None` as long as the
/// answer goes on.
pub(super) fn ending(reason: Option<&Json<'_>>) -> Option<Ending> {
    let reason = reason?;
    let name = match reason {
        Json::Text(name) => Some(name.as_ref()),
        _ => reason.get("type").and_then(Json::text),
    };
    let name = name.filter(|name| !name.is_empty())?;
    if !BROKEN_OFF.iter().any(|bad| name.eq_ignore_ascii_case(bad)) {
        return Some(Ending::Finished);
    }
    let more = reason.get("message").and_then(Json::text);
    let more = more.map_or(String::new(), |more| format!(": {more}"));
    Some(Ending::BrokenOff(format!("finish reason `{name}`{more}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Json<'_> {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn envelopes_of_every_kind_keep_their_words() {
        let table = [
            (
                r#"{"error":{"message":"out of memory","code":500}}"#,
                "out of memory",
            ),
            (r#"{"error":"plain"}"#, "plain"),
            (
                r#"{"error":{"code":500,"status":"INTERNAL"}}"#,
                r#"{"code":500,"status":"INTERNAL"}"#,
            ),
            (r#"{"object":"error","message":"old form"}"#, "old form"),
            (
                r#"{"type":"error","error":{"type":"x","message":"Overloaded"}}"#,
                "Overloaded",
            ),
            (
                r#"{"code":401,"msg":"token expired","data":null}"#,
                "token expired",
            ),
            (
                r#"{"code":"InvalidKey","message":"no such key"}"#,
                "no such key",
            ),
            (
                r#"{"id":"0","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
                "insufficient balance",
            ),
            (
                r#"{"choices":null,"error_type":"BadRequestError","error_message":"maximum context length is 4096"}"#,
                "maximum context length is 4096",
            ),
            (r#"{"success":false,"message":"no quota"}"#, "no quota"),
            (r#"{"detail":"Not authenticated"}"#, "Not authenticated"),
            (
                r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
                "field required",
            ),
            (r#"{"errors":[{"message":"first"}]}"#, "first"),
        ];
        for (text, said) in table {
            assert_eq!(
                refusal(&parsed(text), false).as_deref(),
                Some(said),
                "{text}"
            );
        }
    }

    #[test]
    fn what_says_that_all_is_well_is_no_error() {
        for text in [
            r#"{"code":0,"message":"Success","sid":"x"}"#,
            r#"{"code":"200","message":"ok"}"#,
            r#"{"base_resp":{"status_code":0,"status_msg":"success"}}"#,
            r#"{"error":""}"#,
            r#"{"error":{}}"#,
            r#"{"error":false}"#,
            r#"{"error":[]}"#,
            r#"{"error":0}"#,
            r#"{"error":null}"#,
            r#"{"type":"ping"}"#,
            r#"{"object":null,"choices":null}"#,
        ] {
            assert_eq!(refusal(&parsed(text), false), None, "{text}");
        }
        assert_eq!(
            refusal(&parsed(r#"{"code":7,"message":"a note"}"#), true),
            None
        );
    }

    #[test]
    fn a_reason_to_end_may_be_a_failure() {
        let of = |text: &str| ending(Some(&parsed(text)));
        for finished in [
            "\"stop\"",
            "\"length\"",
            "\"content_filter\"",
            "{\"type\":\"length\"}",
        ] {
            assert_eq!(of(finished), Some(Ending::Finished), "{finished}");
        }
        for goes_on in ["\"\"", "null", "{}", "7"] {
            assert_eq!(of(goes_on), None, "{goes_on}");
        }
        let broken = |said: &str| Some(Ending::BrokenOff(said.to_owned()));
        assert_eq!(of("\"abort\""), broken("finish reason `abort`"));
        assert_eq!(of("\"error\""), broken("finish reason `error`"));
        assert_eq!(
            of(r#"{"type":"abort","message":"worker died"}"#),
            broken("finish reason `abort`: worker died")
        );
        assert_eq!(ending(None), None);
    }

    #[test]
    fn words_are_those_of_json_or_the_text_itself() {
        assert_eq!(
            words_of(br#"{"code":"Internal","message":"worker died"}"#),
            "worker died"
        );
        assert_eq!(words_of(b" worker died\n"), "worker died");
    }
}
