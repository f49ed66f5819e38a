//! Framings of server-sent events that are legal or common: each must read as a textbook answer.

use std::io;

use serde_json::Value;

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{finish, models, token, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, OutputAsAsked, OutputTokens, TtftFromMs,
};
use super::super::say::{EVENTS, Say, pause_ms};

/// Before the noise that may come first, and from it to the first token.
const TO_NOISE_MS: u64 = 5;
const TO_FIRST_MS: u64 = 25;
const GAP_MS: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Lines end in CR LF.
    CrLf,
    /// Lines end in CR.
    Cr,
    /// No space after the colon.
    NoSpace,
    /// Comments between events, and within the first.
    Comments,
    /// Fields without data as heartbeats.
    EmptyData,
    /// Events of another type as heartbeats.
    PingEvents,
    /// One event on several lines of data.
    ManyLines,
    /// The first bytes of each event one by one.
    SingleBytes,
    /// A byte order mark, and a comment before anything else.
    ByteOrderMark,
    /// The last word twice, with spaces around it.
    DoneTwice,
    /// The other fields of the standard.
    OtherFields,
}

impl Style {
    fn separator(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n\r\n",
            Self::Cr => "\r\r",
            _ => "\n\n",
        }
    }

    fn event(self, payload: &str) -> String {
        let payload = match self {
            Self::ManyLines if payload.starts_with('{') => {
                payload.replacen(",\"", ",\ndata: \"", 2)
            }
            _ => payload.to_owned(),
        };
        let before = match self {
            Self::OtherFields => "id: 7\nevent: message\nretry: 100\ndata: ",
            Self::NoSpace => "data:",
            _ => "data: ",
        };
        [before, &payload, self.separator()].concat()
    }

    /// What comes before the first token and after the third, and says nothing.
    fn noise(self) -> &'static str {
        match self {
            Self::Comments => ": ping - 2025\n\n:\n\n: OPENROUTER PROCESSING\n",
            Self::EmptyData => "data:\n\ndata: \n\ndata\n\n",
            Self::PingEvents => "event: ping\ndata: {\"type\": \"ping\"}\n\n",
            _ => "",
        }
    }
}

fn say_event(say: &mut Say<'_>, style: Style, payload: &str) -> io::Result<()> {
    let text = style.event(payload);
    let (one_by_one, rest) = match style {
        Style::SingleBytes => text.as_bytes().split_at(text.len().min(40)),
        _ => (&[][..], text.as_bytes()),
    };
    for byte in one_by_one {
        say.body([*byte])?;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        say.body(rest)
    }
}

fn noise(say: &mut Say<'_>, style: Style) -> io::Result<()> {
    match style.noise() {
        "" => Ok(()),
        noise => say.body(noise),
    }
}

fn serve(style: Style, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_generation() {
        return say.not_found();
    }
    say.head(200, &EVENTS)?;
    if style == Style::ByteOrderMark {
        say.body("\u{feff}: hello\n\n")?;
    }
    pause_ms(TO_NOISE_MS);
    noise(say, style)?;
    pause_ms(TO_FIRST_MS);
    for number in 0..ask.want() {
        if number > 0 {
            pause_ms(GAP_MS);
        }
        let event = token(ask, &format!(" 字{number}"));
        say_event(say, style, &event.to_string())?;
        if number == 2 {
            noise(say, style)?;
        }
    }
    let ends: [Value; 2] = [finish(ask, "stop"), usage_event(&usage(ask, ask.want()))];
    for event in ends {
        say_event(say, style, &event.to_string())?;
    }
    say_event(say, style, "[DONE]")?;
    if style == Style::DoneTwice {
        say.body("data:  [DONE] \n\n")?;
    }
    say.end()
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn framings() {
    let table = [
        ("lines that end in CR LF", Style::CrLf),
        ("lines that end in CR", Style::Cr),
        ("no space after the colon", Style::NoSpace),
        ("comments as heartbeats", Style::Comments),
        ("data that is empty", Style::EmptyData),
        ("events of the type ping", Style::PingEvents),
        ("an event on several lines", Style::ManyLines),
        ("single bytes", Style::SingleBytes),
        ("a byte order mark", Style::ByteOrderMark),
        ("the last word twice", Style::DoneTwice),
        ("other fields", Style::OtherFields),
    ];
    let cases = table.map(|(name, style)| {
        let to_first_ms = (TO_NOISE_MS + TO_FIRST_MS) as f64;
        Case::new(
            name,
            move |ask, say| serve(style, ask, say),
            [
                check().is(&[AllCompleted, OutputAsAsked, TtftFromMs(to_first_ms)]),
                bench().is(&[AllEndedAs("completed"), OutputTokens(20)]),
            ],
        )
    });
    try_all(cases.into());
}
