//! No text that is typed makes a parser of arguments panic: objectives, times, shares, names. What is
//! taken is written as something that is taken again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::quote::{has_unseen, quoted, visible, visible_json};
use plimsoll_core::slo::Slo;
use plimsoll_core::typed::{parse_span, parse_span_or_none};
use plimsoll_core::wire::retry_after_s;

fuzz_target!(|text: &str| {
    if let Ok(slo) = text.parse::<Slo>() {
        let again = slo.to_string().parse::<Slo>();
        assert_eq!(again.as_ref(), Ok(&slo), "{text:?}");
    }
    let _ = (parse_span(text), parse_span_or_none(text));
    let _ = retry_after_s(text, Some(text));
    assert!(!has_unseen(&quoted(text)));
    let shown = visible(text);
    // The ends of lines stay, as do tabs.
    assert!(!has_unseen(&shown.replace("\r\n", "").replace(['\n', '\t'], "")));
    let json = serde_json::Value::from(text).to_string();
    let shown = visible_json(&json);
    assert_eq!(serde_json::from_str::<String>(&shown).ok().as_deref(), Some(text));
});
