//! Through nginx and `haproxy`, as a deployment has them. They take their listening socket from the
//! test, as standard input: so the port is a free one, and open before they run. `just gateways`
//! runs these tests.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::target::Target;
use plimsoll_sim::{Faults, Metronome, MetronomeConfig};
use tempfile::TempDir;

use super::{PATIENCE, server, source};

/// Streams that send one request after another, and the requests of all of them.
const STREAMS: u32 = 4;
const REQUESTS: usize = 40;

/// Which gateway.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Nginx,
    Haproxy,
}

/// A gateway that runs; dropping it ends it.
struct Gateway {
    child: Child,
    target: Target,
    _folder: TempDir,
}

impl Gateway {
    fn start(kind: Kind, upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = match kind {
            Kind::Nginx => nginx(folder.path(), address, upstream),
            Kind::Haproxy => haproxy(folder.path(), upstream),
        };
        let _ = command
            .stdin(Stdio::from(OwnedFd::from(listener)))
            // Distributions put both of them where only the administrator's path leads.
            .env(
                "PATH",
                format!("{}:/usr/sbin", std::env::var("PATH").unwrap()),
            );
        let child = command.spawn();
        Self {
            child: child.unwrap_or_else(|error| panic!("{kind:?}: {error}; see `just gateways`")),
            target: Target::parse(&address.to_string()).unwrap(),
            _folder: folder,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let _gone_already = kill(pid, Signal::SIGTERM);
        drop(self.child.wait());
    }
}

fn nginx(folder: &Path, address: SocketAddr, upstream: SocketAddr) -> Command {
    let config = include_str!("gateways/nginx.conf")
        .replace("ADDRESS", &address.to_string())
        .replace("UPSTREAM", &upstream.to_string());
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new("nginx");
    let _ = command
        .args(["-e", "stderr", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(path)
        // Sockets that it inherits, as when it replaces itself.
        .env("NGINX", "0;");
    command
}

fn haproxy(folder: &Path, upstream: SocketAddr) -> Command {
    let config = include_str!("gateways/haproxy.cfg").replace("UPSTREAM", &upstream.to_string());
    let path = folder.join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new("haproxy");
    let _ = command.args(["-db", "-f"]).arg(path);
    command
}

fn run(gateway: &Gateway) -> Batch {
    let plan = BatchPlan {
        dues: vec![Duration::ZERO; REQUESTS],
        max_concurrency: Some(STREAMS),
        timeout: PATIENCE,
        keep_text: false,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    };
    let source = source(Protocol::Completions);
    let on = &mut |_| Go::On;
    run_batch(&gateway.target, &source, &plan, Clock::start(), on).unwrap()
}

fn outcomes(batch: &Batch) -> Vec<Outcome> {
    batch.records.iter().map(|one| one.record.outcome).collect()
}

/// All requests are answered, over one connection a stream, and each token comes as it is sent:
/// a gateway that held an answer back would give all of it one stamp.
fn carries_streams(kind: Kind) {
    let pace = (Duration::from_millis(5), Duration::from_millis(5));
    let server = Metronome::start(MetronomeConfig::local(pace.0, pace.1)).unwrap();
    let gateway = Gateway::start(kind, server.addr());
    let batch = run(&gateway);
    assert_eq!(outcomes(&batch), vec![Outcome::Completed; REQUESTS]);
    assert_eq!(batch.client.connections_opened, u64::from(STREAMS));
    assert_eq!(batch.client.idle_retries, 0);
    for one in &batch.records {
        let record = &one.record;
        assert_eq!(record.usage_output_tokens, Some(record.asked_output_tokens));
        assert!(record.tpot_ms().is_some(), "tokens are held back");
    }
    assert_eq!(server.truth().n_completed, REQUESTS as u64);
}

/// The server behind the gateway refuses connections: that is the gateway's answer to tell.
fn says_that_its_server_is_down(kind: Kind, status: u16) {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let batch = run(&Gateway::start(kind, address));
    let down = Outcome::HttpStatus { status };
    assert_eq!(outcomes(&batch), vec![down; REQUESTS]);
}

/// A server that breaks off in the middle of a stream cannot be told by a status any more.
fn passes_on_what_breaks_off(kind: Kind) {
    let cut = server(Faults {
        cut_share: 1.0,
        ..Faults::default()
    });
    let url = cut.url();
    let address = url.trim_start_matches("http://").parse().unwrap();
    let batch = run(&Gateway::start(kind, address));
    assert_eq!(outcomes(&batch), vec![Outcome::Reset; REQUESTS]);
}

#[test]
#[ignore = "not run: needs nginx, `just gateways`"]
fn gateways_nginx_carries_streams() {
    carries_streams(Kind::Nginx);
}

#[test]
#[ignore = "not run: needs HAProxy, `just gateways`"]
fn gateways_haproxy_carries_streams() {
    carries_streams(Kind::Haproxy);
}

#[test]
#[ignore = "not run: needs nginx and HAProxy, `just gateways`"]
fn gateways_say_that_their_server_is_down() {
    says_that_its_server_is_down(Kind::Nginx, 502);
    says_that_its_server_is_down(Kind::Haproxy, 503);
}

#[test]
#[ignore = "not run: needs nginx and HAProxy, `just gateways`"]
fn gateways_pass_on_what_breaks_off() {
    passes_on_what_breaks_off(Kind::Nginx);
    passes_on_what_breaks_off(Kind::Haproxy);
}
