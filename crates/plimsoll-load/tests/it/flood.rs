//! A server that sends without end, as fast as it can: it is cut like any other, and at its bound.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::BodyPlan;
use plimsoll_core::runner::Go;
use plimsoll_core::workload::Workload;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::preflight::{PreflightOptions, preflight};
use plimsoll_load::target::Target;

use super::raw::{TO_THE_CLOSE, TOKEN, read_request, say, serve, whole_answer};
use super::{PATIENCE, source_of, workload};

/// A server that answers its first connection without end, and the others as they should be.
struct Flood {
    target: Target,
    sent_bytes: Arc<AtomicUsize>,
    /// Told when the client has hung up on the flood.
    over: Receiver<()>,
}

impl Flood {
    fn start() -> Self {
        let sent_bytes = Arc::new(AtomicUsize::new(0));
        let (tell, over) = channel();
        let counted = Arc::clone(&sent_bytes);
        let target = serve(move |number, mut socket| {
            while read_request(&mut socket) {
                if number == 0 {
                    return pour(&mut socket, &counted, &tell);
                }
                say(&mut socket, &whole_answer());
            }
        });
        Self {
            target,
            sent_bytes,
            over,
        }
    }

    fn batch(&self, requests: usize, timeout: Duration, go: &mut dyn FnMut(usize) -> Go) -> Batch {
        let plan = BatchPlan {
            dues: vec![Duration::ZERO; requests],
            max_concurrency: None,
            timeout,
            keep_text: false,
            first_index: 0,
            workers: 1,
            keep_alive: true,
        };
        let source = source_of(Protocol::Completions, long_answers());
        run_batch(&self.target, &source, &plan, Clock::start(), go).unwrap()
    }

    fn assert_is_over(&self) {
        assert!(self.over.recv_timeout(PATIENCE).is_ok(), "it was cut off");
    }
}

/// Comments before the tokens: they are read so fast that the kernel makes the client's receive
/// buffer large.
const COMMENTS_BYTES: usize = 16 << 20;

/// Sends comments, and then tokens until the client hangs up. To read a token takes longer than to
/// send it, so that the client never finds its large buffer empty.
fn pour(socket: &mut TcpStream, sent_bytes: &AtomicUsize, over: &Sender<()>) {
    let comments = ": ping\n\n".repeat(1 << 15);
    let tokens = long_token().repeat(1 << 10);
    let all = std::iter::repeat_n(&comments, COMMENTS_BYTES / comments.len());
    say(socket, TO_THE_CLOSE);
    for block in all.chain(std::iter::repeat(&tokens)) {
        if socket.write_all(block.as_bytes()).is_err() {
            break;
        }
        let _ = sent_bytes.fetch_add(block.len(), Ordering::Relaxed);
    }
    // The test that waited for it may be over.
    over.send(()).unwrap_or_default();
}

/// An answer of so many tokens may be as long as this flood gets within a test: what cuts it is not its
/// length.
fn long_answers() -> Workload {
    Workload::uniform(32, 500_000, 0.0, 1)
}

/// A token with its likeliest others beside it, as `logprobs` gives them.
fn long_token() -> String {
    let beside = format!("{{\"logprobs\":\"{}\",\"choices\"", "x".repeat(2_000));
    TOKEN.replacen("{\"choices\"", &beside, 1)
}

fn count(batch: &Batch, outcome: Outcome) -> usize {
    let outcomes = batch.records.iter().map(|one| one.record.outcome);
    outcomes.filter(|one| *one == outcome).count()
}

#[test]
fn the_time_limit_cuts_a_flood_and_the_other_streams_have_their_turn() {
    let flood = Flood::start();
    let batch = flood.batch(9, Duration::from_secs(2), &mut |_| Go::On);
    assert_eq!(count(&batch, Outcome::TimedOut), 1);
    assert_eq!(count(&batch, Outcome::Completed), 8);
    flood.assert_is_over();
}

#[test]
fn a_stop_cuts_a_flood() {
    let flood = Flood::start();
    let sent_bytes = Arc::clone(&flood.sent_bytes);
    let batch = flood.batch(1, PATIENCE, &mut |_| {
        if sent_bytes.load(Ordering::Relaxed) > COMMENTS_BYTES + (8 << 20) {
            Go::Stop
        } else {
            Go::On
        }
    });
    assert_eq!(count(&batch, Outcome::CutAtEnd), 1);
    assert!(batch.records[0].record.ttft_ms().is_some());
    flood.assert_is_over();
}

#[test]
fn a_question_that_is_answered_without_end_is_given_up() {
    let flood = Flood::start();
    let options = PreflightOptions {
        model: None,
        protocol: None,
        workload: workload(),
        body: BodyPlan::default(),
        probe_seed: 2,
        wait: Duration::ZERO,
        timeout: PATIENCE,
    };
    let error = preflight(&flood.target, &options, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("does not end"), "{error}");
    flood.assert_is_over();
}
