//! Metrics pages that come, fail, hang or lie: samples have what is known, and nothing waits.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use plimsoll_core::telemetry::{Counter, Gauge, Sample, Source};
use plimsoll_core::time::Offset;
use plimsoll_load::clock::Clock;
use plimsoll_load::target::Target;
use plimsoll_load::telemetry::{MetricsPage, SignalSource, Telemetry};

use super::raw::{read_request, say, serve, until_closed};

const LATER: Offset = Offset::from_nanos(u64::MAX);

fn page(target: &Target) -> SignalSource {
    SignalSource::MetricsPage(MetricsPage::of(target).unwrap())
}

fn start(sources: Vec<SignalSource>) -> Telemetry {
    Telemetry::start(sources, Clock::start()).unwrap()
}

/// Answers with a page that closes the connection.
fn answer(socket: &mut TcpStream, status: &str, page: &str) {
    let length = page.len();
    say(
        socket,
        &format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        ),
    );
}

/// A server whose n-th answer is by `script`, and a channel that tells of each.
fn server(
    script: impl Fn(usize, &mut TcpStream) + Clone + Send + 'static,
) -> (Target, mpsc::Receiver<()>) {
    let (asked, is_asked) = mpsc::channel();
    let target = serve(move |number, mut socket| {
        if read_request(&mut socket) {
            script(number, &mut socket);
            // The test may have seen enough.
            asked.send(()).unwrap_or_default();
        }
    });
    (target, is_asked)
}

/// The first samples that there are.
fn samples(telemetry: &Telemetry, asked: &mpsc::Receiver<()>) -> Vec<Sample> {
    loop {
        asked.recv().unwrap();
        let samples = telemetry.take(LATER);
        if !samples.is_empty() {
            return samples;
        }
    }
}

#[test]
fn what_a_page_says_is_sampled_with_its_source() {
    let (target, asked) = server(|_, socket| {
        let page = "vllm:num_requests_running 7\nvllm:num_preemptions_total 3\n";
        answer(socket, "200 OK", page);
    });
    let telemetry = start(vec![page(&target)]);
    let samples = samples(&telemetry, &asked);
    assert_eq!(samples[0].source, Source::Server);
    let signals = &samples[0].signals;
    assert_eq!(signals.gauge(Gauge::Running), Some(7.0));
    assert_eq!(signals.gauge(Gauge::Waiting), None);
    assert_eq!(signals.counter(Counter::PreemptionsTotal), Some(3.0));
}

/// An error page, one without a known name, one that breaks off, and one too long to be read.
#[test]
fn pages_that_fail_leave_a_gap_and_are_asked_again() {
    let (target, asked) = server(|number, socket| match number {
        0 => answer(socket, "500 Oh", "vllm:num_requests_running 1\n"),
        1 => answer(socket, "200 OK", "go_goroutines 4\n"),
        2 => say(
            socket,
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nvllm:num_requests_running 2\n",
        ),
        3 => answer(
            socket,
            "200 OK",
            &"vllm:num_requests_running 3\n".repeat(200_000),
        ),
        _ => answer(socket, "200 OK", "vllm:num_requests_running 4\n"),
    });
    let telemetry = start(vec![page(&target)]);
    let samples = samples(&telemetry, &asked);
    assert_eq!(samples[0].signals.gauge(Gauge::Running), Some(4.0));
}

/// Stopping does not wait for an answer that does not come, and the other source goes on.
#[test]
fn a_source_that_hangs_holds_up_neither_others_nor_the_end() {
    let (hanging, is_hanging) = server(|_, socket| until_closed(socket));
    let (target, asked) = server(|_, socket| {
        answer(socket, "200 OK", "vllm:num_requests_running 7\n");
    });
    let telemetry = start(vec![page(&hanging), page(&target)]);
    let samples = samples(&telemetry, &asked);
    assert_eq!(samples[0].signals.gauge(Gauge::Running), Some(7.0));
    assert!(
        is_hanging.try_recv().is_err(),
        "the first answer is still awaited"
    );
    drop(telemetry);
    // Its connection is closed with the thread.
    is_hanging.recv().unwrap();
}

#[test]
fn what_is_taken_is_taken_once_and_up_to_a_moment() {
    let pages = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&pages);
    let (target, asked) = server(move |_, socket| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        answer(
            socket,
            "200 OK",
            &format!("vllm:num_requests_running {number}\n"),
        );
    });
    let telemetry = start(vec![page(&target)]);
    let first = samples(&telemetry, &asked);
    assert_eq!(telemetry.take(first[0].at), []);
    let next = samples(&telemetry, &asked);
    assert!(next[0].at > first[first.len() - 1].at);
}
