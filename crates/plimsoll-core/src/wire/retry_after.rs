//! When a server wants to be asked again (RFC 9110 §10.2.3).

use std::time::SystemTime;

/// Seconds from now on that `Retry-After` names, in whole seconds or as a date. A date is held against
/// the server's own clock, which its `Date` tells; without that, and where it makes no sense, it is
/// `None`. One that is past is 0.
pub fn retry_after_s(retry_after: &str, date: Option<&str>) -> Option<u32> {
    let retry_after = retry_after.trim();
    if let Ok(seconds) = retry_after.parse() {
        return Some(seconds);
    }
    let until = moment(retry_after)?;
    let now = moment(date?.trim())?;
    let left = until.duration_since(now).unwrap_or_default();
    u32::try_from(left.as_secs()).ok()
}

/// One of the three forms of a date (RFC 9110 §5.6.7).
fn moment(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", date, Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", date, Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", date, Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, None),
            ("soon", date, None),
            ("-5", None, None),
            ("1e9", None, None),
            ("99999999999", None, None),
        ] {
            assert_eq!(retry_after_s(text, date), seconds, "{text}");
        }
    }
}
