//! Requests against a few words of a server, in memory and in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::record::RequestTrace;

use super::*;
use crate::batch::{BatchPlan, run_here};
use crate::clock::Clock;
use crate::connect::Connector;
use crate::source::RequestSource;
use crate::target::Target;
use crate::transport::memory::{Dialed, Ending, Peer, connected};

/// What a server does, so many ms after a request has come.
#[derive(Clone, Copy)]
enum Act {
    Say(u64, &'static str),
    End(u64, Ending),
}

use Act::{End, Say};

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
/// A token, a finish reason and the last word, in one chunk.
const ANSWER: &str = concat!(
    "5f\r\n",
    "data: {\"choices\":[{\"text\":\" a\"}]}\n\n",
    "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n\r\n"
);
const TAIL: &str = "0\r\n\r\n";
/// What a server does with a request that it answers well.
const WELL: [Act; 3] = [Say(5, HEAD), Say(10, ANSWER), Say(10, TAIL)];

/// Requests without a body.
struct Bare;

impl RequestSource for Bare {
    fn build(&self, _index: u64) -> Built {
        Built {
            path: "/v1/completions".to_owned(),
            asked_output_tokens: 1,
            ..Built::default()
        }
    }
}

/// Does with each request what is next, on one connection.
async fn serve(peer: Peer, clock: Clock, requests: Arc<Mutex<Vec<Vec<Act>>>>) {
    loop {
        peer.readable().await;
        if peer.read(usize::MAX).is_empty() {
            return;
        }
        let came = clock.now();
        let acts = requests.lock().unwrap().remove(0);
        for act in acts {
            let (Say(ms, _) | End(ms, _)) = act;
            let at = came + Duration::from_millis(ms);
            tokio::time::sleep_until(clock.instant(at).into()).await;
            match act {
                Say(_, text) => peer.write(text.as_bytes(), at),
                End(_, ending) => return peer.end(ending),
            }
        }
    }
}

/// Sends `count` requests one after another; the server does with each that comes what is next.
/// Returns their records, and how often one was sent again.
fn run(count: usize, timeout_ms: u64, requests: Vec<Vec<Act>>) -> (Vec<RequestTrace>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let clock = Clock::start_virtual();
        let requests = Arc::new(Mutex::new(requests));
        let dial = move || {
            let (client, peer) = connected(1 << 16);
            drop(tokio::task::spawn_local(serve(
                peer,
                clock,
                Arc::clone(&requests),
            )));
            Dialed {
                after: Duration::ZERO,
                end: Some(Ok(client)),
            }
        };
        let plan = BatchPlan {
            dues: vec![Duration::ZERO; count],
            max_concurrency: Some(1),
            timeout: Duration::from_millis(timeout_ms),
            keep_text: false,
            first_index: 0,
            workers: 1,
            keep_alive: true,
        };
        let connector = Connector::in_memory(Arc::new(dial), clock);
        let source: Arc<dyn RequestSource> = Arc::new(Bare);
        let target = Target::parse("http://memory:1").unwrap();
        let carried = run_here(&target, &connector, &source, &plan, clock).await;
        let (records, stats) = carried.unwrap();
        let records = records.into_iter().map(|one| one.record).collect();
        (records, stats.idle_retries)
    })
}

fn at_ms(ms: u64) -> Offset {
    Offset::ZERO + Duration::from_millis(ms)
}

#[test]
fn stamps_are_those_of_the_transport() {
    let (records, _) = run(2, 1_000, vec![WELL.to_vec(), WELL.to_vec()]);
    for (record, sent) in records.iter().zip([0, 10]) {
        assert_eq!(record.outcome, Outcome::Completed, "{record:?}");
        assert_eq!(record.sent, Some(at_ms(sent)));
        assert_eq!(record.first(), Some(at_ms(sent + 10)));
        assert_eq!(record.done, at_ms(sent + 10));
    }
    assert!(records[0].connected.is_some() && records[1].connected.is_none());
}

/// A server that has begun to answer has looked at the request: sent again, it would be carried out
/// twice, and its failure would not show.
#[test]
fn only_a_close_without_a_word_is_that_of_an_idle_connection() {
    let again = (Outcome::Completed, 1);
    let failed = (Outcome::Reset, 0);
    for ending in [Ending::Closed, Ending::Reset] {
        let table = [
            (vec![End(2, ending)], again),
            (vec![End(99, ending)], again),
            (vec![End(100, ending)], failed),
            (vec![Say(2, "H"), End(2, ending)], failed),
            (vec![Say(2, &HEAD[..30]), End(4, ending)], failed),
            (
                vec![Say(2, "HTTP/1.1 100 Continue\r\n\r\n"), End(4, ending)],
                failed,
            ),
        ];
        for (number, (acts, wanted)) in table.into_iter().enumerate() {
            let (records, retries) = run(2, 1_000, vec![WELL.to_vec(), acts, WELL.to_vec()]);
            assert_eq!((records[1].outcome, retries), wanted, "{number} {ending:?}");
        }
    }
}

/// The last word is the end, unless that of the framing comes while it is waited for.
#[test]
fn an_answer_that_has_said_all_is_complete_whatever_comes_after_it() {
    let said = [Say(5, HEAD), Say(10, ANSWER)];
    let tails: [(&[Act], u64); 7] = [
        (&[Say(30, TAIL)], 30),
        (&[Say(30, "0\r\n"), Say(40, "\r\n")], 40),
        (&[], 10),
        (&[End(30, Ending::Closed)], 10),
        (&[End(30, Ending::Reset)], 10),
        (&[Say(20, "0\r\n"), End(30, Ending::Reset)], 10),
        (&[Say(20, "0\r\n"), End(30, Ending::Closed)], 10),
    ];
    // Within the second limit nothing is known of the end of the framing.
    for timeout_ms in [1_000, 61] {
        for (number, (tail, done)) in tails.iter().enumerate() {
            let (records, _) = run(1, timeout_ms, vec![[&said, *tail].concat()]);
            let found = (records[0].outcome, records[0].done);
            assert_eq!(
                found,
                (Outcome::Completed, at_ms(*done)),
                "{number} {timeout_ms}"
            );
        }
    }
}
