//! A request as it is kept in a file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ConnectTimes, Doubt, ON_SCHEDULE, RequestRecord, RequestTrace, StreamEvent, TokenSource,
};
use crate::outcome::Outcome;
use crate::time::Offset;

/// A request as one line of `requests.jsonl`: stamps in whole nanoseconds since the run's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestLine {
    /// Number of the request within the run.
    pub id: u64,
    /// Index of the level in which it became due.
    pub level: u32,
    /// The virtual client that sent it; `None` if it came on the schedule of an open loop.
    pub stream: Option<u32>,
    /// When the schedule wanted it sent.
    pub due_ns: u64,
    /// From when on the client was free to send it, where it was not when it was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_ns: Option<u64>,
    /// Just before its first byte was handed to the kernel.
    pub sent_ns: Option<u64>,
    /// Time to a TCP connection, if one was made for this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// Time that a proxy took to open the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_ns: Option<u64>,
    /// Time of its TLS handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ns: Option<u64>,
    /// First event that carries output.
    pub first_ns: Option<u64>,
    /// Gaps between successive output events, from `first_ns` on.
    pub itl_ns: Vec<u64>,
    /// When the answer ended.
    pub done_ns: u64,
    /// By how much it can have gone out after `sent_ns`, where the client was late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_doubt_ns: Option<u64>,
    /// By how much its first output can have come before `first_ns`, where the client was late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_doubt_ns: Option<u64>,
    /// The same of its later outputs: the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_doubt_ns: Option<u64>,
    /// The way it ended.
    pub outcome: Outcome,
    /// Prompt length asked for.
    pub asked_prompt_tokens: u32,
    /// Answer length asked for.
    pub asked_output_tokens: u32,
    /// Prompt length by the server's `usage`.
    pub prompt_tokens: Option<u32>,
    /// Output tokens that were streamed, by `usage` or else by counting events.
    pub output_tokens: Option<u32>,
    /// Which of the two it is.
    pub token_source: Option<TokenSource>,
    /// Tokens of reasoning by `usage` that were not streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_output_tokens: Option<u32>,
    /// `usage` states a count that cannot be, so that it is absent here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub usage_disbelieved: bool,
    /// What the server or the transport said of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<&RequestTrace> for RequestLine {
    fn from(record: &RequestTrace) -> Self {
        let stamps: Vec<u64> = record.output_stamps().map(Offset::as_nanos).collect();
        let tokens = record.output_tokens();
        Self {
            id: record.id,
            level: record.level,
            stream: (!record.is_on_schedule()).then_some(record.stream),
            due_ns: record.due.as_nanos(),
            ready_ns: (record.ready != record.due).then_some(record.ready.as_nanos()),
            sent_ns: record.sent.map(Offset::as_nanos),
            connect_ns: record.connected.map(|times| nanos(times.tcp)),
            proxy_ns: record.connected.and_then(|times| times.proxy).map(nanos),
            tls_ns: record.connected.and_then(|times| times.tls).map(nanos),
            first_ns: stamps.first().copied(),
            itl_ns: stamps
                .windows(2)
                .map(|pair| pair[1].saturating_sub(pair[0]))
                .collect(),
            done_ns: record.done.as_nanos(),
            sent_doubt_ns: record.doubt.sent.map(nanos),
            first_doubt_ns: record.doubt.first.map(nanos),
            rest_doubt_ns: record.doubt.rest.map(nanos),
            outcome: record.outcome,
            asked_prompt_tokens: record.asked_prompt_tokens,
            asked_output_tokens: record.asked_output_tokens,
            prompt_tokens: record.prompt_tokens,
            output_tokens: tokens.map(|(count, _)| count),
            token_source: tokens.map(|(_, source)| source),
            hidden_output_tokens: record.hidden_output_tokens,
            usage_disbelieved: record.usage_disbelieved,
            detail: record.detail.clone(),
        }
    }
}

impl From<RequestLine> for RequestTrace {
    /// The request as far as a file keeps it: events without output are not in it.
    fn from(line: RequestLine) -> Self {
        let mut at = line.first_ns;
        let gaps = line.itl_ns.into_iter().map(Some).chain([None]);
        let events = gaps.map_while(|gap| {
            let stamp = at?;
            at = gap.map(|gap| stamp.saturating_add(gap));
            Some(StreamEvent {
                at: Offset::from_nanos(stamp),
                output: true,
            })
        });
        let record = RequestRecord {
            id: line.id,
            level: line.level,
            stream: line.stream.unwrap_or(ON_SCHEDULE),
            due: Offset::from_nanos(line.due_ns),
            ready: Offset::from_nanos(line.ready_ns.unwrap_or(line.due_ns)),
            sent: line.sent_ns.map(Offset::from_nanos),
            outputs: None,
            heard: None,
            stamps: None,
            done: Offset::from_nanos(line.done_ns),
            doubt: Doubt {
                sent: line.sent_doubt_ns.map(Duration::from_nanos),
                first: line.first_doubt_ns.map(Duration::from_nanos),
                rest: line.rest_doubt_ns.map(Duration::from_nanos),
            },
            outcome: line.outcome,
            asked_prompt_tokens: line.asked_prompt_tokens,
            asked_output_tokens: line.asked_output_tokens,
            prompt_tokens: line.prompt_tokens,
            usage_output_tokens: line
                .output_tokens
                .filter(|_| line.token_source == Some(TokenSource::Usage)),
            hidden_output_tokens: line.hidden_output_tokens,
            usage_disbelieved: line.usage_disbelieved,
            detail: line.detail,
        };
        let connected = line.connect_ns.map(|tcp| ConnectTimes {
            tcp: Duration::from_nanos(tcp),
            proxy: line.proxy_ns.map(Duration::from_nanos),
            tls: line.tls_ns.map(Duration::from_nanos),
        });
        Self::new(record, events.collect()).over(connected)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, trace};
    use super::*;

    #[test]
    fn a_line_reads_back_as_its_request() {
        let of = |change: fn(&mut RequestRecord), outputs_ms: &[u64]| {
            let mut record = record(100, outputs_ms);
            change(&mut record);
            let events = trace(100, outputs_ms).events().to_vec();
            record.stamps = None;
            RequestTrace::new(record, events)
        };
        let mut full = of(
            |one| {
                one.usage_output_tokens = Some(9);
                one.hidden_output_tokens = Some(90);
                one.doubt.first = Some(Duration::from_millis(3));
                one.doubt.sent = Some(Duration::from_micros(200));
            },
            &[150, 170, 200],
        );
        full = full.over(Some(ConnectTimes {
            tcp: Duration::from_micros(70),
            proxy: None,
            tls: Some(Duration::from_micros(900)),
        }));
        let failed = of(
            |one| {
                one.outcome = Outcome::HttpStatus { status: 503 };
                one.usage_output_tokens = None;
                one.sent = None;
                one.detail = Some("busy".to_owned());
            },
            &[],
        );
        let counted = of(
            |one| {
                one.usage_output_tokens = None;
                one.usage_disbelieved = true;
            },
            &[108],
        );
        let arrival = of(
            |one| {
                one.stream = ON_SCHEDULE;
                one.due = Offset::from_nanos(90_000_000);
            },
            &[150],
        );
        for one in [full, failed, counted, arrival] {
            let text = serde_json::to_string(&RequestLine::from(&one)).unwrap();
            let line: RequestLine = serde_json::from_str(&text).unwrap();
            assert_eq!(RequestTrace::from(line), one);
        }
    }
}
