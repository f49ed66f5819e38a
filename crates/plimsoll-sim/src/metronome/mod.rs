//! A server whose answers follow a fixed schedule, whatever the load.
//!
//! Token *k* of a request is due at `received + ttft + k·itl`, where `received` is the kernel's
//! stamp of the read that completed the request. What a client measures beyond that is its own
//! error and the network's, known for each request; where the server itself is late, its truth
//! says so. There is no engine, no queue and no runtime: an output event costs about one write.
//!
//! `GET /sim/truth` gives the statistics, `GET /sim/truth/requests` a JSON line for each completed
//! request (the first 2 million since the last reset), and `POST /sim/reset` forgets both. Asking
//! for the lines holds up the worker that is asked, so it is for the end of a run.
//!
//! | module | holds |
//! |---|---|
//! | `worker` | the loop: sockets, requests, what is due |
//! | `poller`, `mailbox`, `listen` | waiting, other threads, the listening socket |
//! | `conn`, `transport`, `slab` | a connection, its socket with or without TLS, all of them |
//! | `request`, `chunked`, `ask` | from bytes to what is asked for |
//! | `schedule`, `answer`, `score` | when what is due, how far it is, its bytes |
//! | `reply`, `tls` | answers given at once; certificates |
//! | `stamps`, `clock` | when bytes came, what time it is |
//! | `truth`, `histogram` | what the server has measured of itself |

mod answer;
mod ask;
mod chunked;
mod clock;
mod conn;
mod histogram;
mod listen;
mod mailbox;
mod poller;
mod reply;
mod request;
mod schedule;
mod score;
mod slab;
mod stamps;
mod tls;
mod transport;
mod truth;
mod worker;

pub use rustls::ServerConfig as TlsConfig;
pub use tls::tls_config;

use crate::server::clock::unix_seconds;
use crate::server::{SimError, Truth};
use ask::Defaults;
use mailbox::Mailbox;
use plimsoll_core::protocol::Protocol;
use schedule::Pace;
use score::Score;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use truth::Recorder;

/// What to serve, where, and in which time.
#[derive(Debug, Clone)]
pub struct MetronomeConfig {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// From the receipt of a request to its first token.
    pub ttft: Duration,
    /// From one token to the next; at 0 all tokens go out at once, in one write.
    pub itl: Duration,
    /// Length of an answer whose request does not give it, in tokens; 0 counts as 1.
    pub output_tokens: u32,
    /// Name of the served model.
    pub model: String,
    /// Threads that serve connections; 0 counts as 1.
    pub workers: usize,
    /// TLS, as [`tls_config`] makes it; without it the server speaks plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl MetronomeConfig {
    /// Returns a plain server of one worker on a free port of the loopback, with answers of 32
    /// tokens.
    pub fn local(ttft: Duration, itl: Duration) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            ttft,
            itl,
            output_tokens: 32,
            model: "sim".to_owned(),
            workers: 1,
            tls: None,
        }
    }
}

/// What all workers of one server share.
#[derive(Debug)]
struct MetronomeState {
    pace: Pace,
    defaults: Defaults,
    /// By protocol.
    scores: Vec<Score>,
    tls: Option<Arc<rustls::ServerConfig>>,
    recorder: Recorder,
    mailboxes: Vec<Mailbox>,
    /// When the server started, in seconds since 1970.
    created: u64,
}

impl MetronomeState {
    fn new(config: MetronomeConfig) -> io::Result<Self> {
        let workers = config.workers.max(1);
        let pace = Pace::new(config.ttft, config.itl);
        Ok(Self {
            pace,
            scores: Protocol::ALL
                .iter()
                .map(|protocol| Score::new(*protocol, &config.model))
                .collect(),
            defaults: Defaults {
                model: config.model,
                output_tokens: config.output_tokens.max(1),
            },
            tls: config.tls,
            recorder: Recorder::new(workers, pace),
            mailboxes: (0..workers)
                .map(|_| Mailbox::new())
                .collect::<io::Result<_>>()?,
            created: unix_seconds(),
        })
    }

    fn score(&self, protocol: Protocol) -> &Score {
        let mut scores = self.scores.iter();
        let score = scores.find(|score| score.protocol() == protocol);
        score.unwrap_or(&self.scores[0])
    }

    fn stop(&self) {
        for mailbox in &self.mailboxes {
            mailbox.stop();
        }
    }
}

/// A running server; dropping it stops its threads and cuts its connections.
#[derive(Debug)]
pub struct Metronome {
    addr: SocketAddr,
    shared: Arc<MetronomeState>,
    threads: Vec<JoinHandle<()>>,
}

/// Stops a server from another thread, such as a signal handler's. Clones stop the same server.
#[derive(Debug, Clone)]
pub struct StopHandle {
    shared: Arc<MetronomeState>,
}

impl StopHandle {
    /// Tells the server to stop; returns at once.
    pub fn stop(&self) {
        self.shared.stop();
    }
}

impl Metronome {
    /// Starts a server and returns when it is listening.
    ///
    /// # Errors
    /// If the address or a thread cannot be had.
    ///
    /// # Examples
    /// ```no_run
    /// use plimsoll_sim::{Metronome, MetronomeConfig};
    /// use std::time::Duration;
    /// let pace = (Duration::from_millis(100), Duration::from_millis(50));
    /// let server = Metronome::start(MetronomeConfig::local(pace.0, pace.1))?;
    /// println!("serving at {}", server.url());
    /// # Ok::<(), plimsoll_sim::SimError>(())
    /// ```
    pub fn start(config: MetronomeConfig) -> Result<Self, SimError> {
        let bind = config.bind;
        let listening = listen::listen(bind)
            .and_then(|listener| listener.local_addr().map(|addr| (listener, addr)));
        let (listener, addr) = listening.map_err(|source| SimError::Bind { bind, source })?;
        let shared = Arc::new(MetronomeState::new(config).map_err(SimError::Thread)?);
        // From here on, dropping the server stops what has been started so far.
        let mut server = Self {
            addr,
            shared,
            threads: Vec::new(),
        };
        let mut listener = Some(listener);
        for index in 0..server.shared.mailboxes.len() {
            server
                .spawn(index, listener.take())
                .map_err(SimError::Thread)?;
        }
        Ok(server)
    }

    fn spawn(&mut self, index: usize, listener: Option<std::net::TcpListener>) -> io::Result<()> {
        let worker = worker::Worker::new(Arc::clone(&self.shared), index, listener)?;
        let thread = std::thread::Builder::new()
            .name(format!("metronome-{index}"))
            .spawn(move || worker.run())?;
        self.threads.push(thread);
        Ok(())
    }

    /// Returns the address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns its base URL, without a path or a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.addr)
    }

    /// Returns what a perfect client would have reported since the start or the last reset.
    ///
    /// Means and maxima are exact. Quantiles of TTFT and ITL are within 4 ppm of their distance
    /// from the schedule, those of e2e within 4 ppm of the value. A request is entered just after
    /// its last byte was written: in the microseconds between, its client may already have it.
    /// Asked for over the connection of the last request, the truth always includes it.
    pub fn truth(&self) -> Truth {
        self.shared.recorder.truth()
    }

    /// Forgets the truth so far.
    pub fn reset(&self) {
        self.shared.recorder.reset();
    }

    /// Returns a handle that stops this server.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Blocks until a [`StopHandle`] has stopped the server.
    pub fn wait(&mut self) {
        for thread in self.threads.drain(..) {
            // A thread that has panicked has told so on standard error; there is no more to say.
            drop(thread.join());
        }
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.shared.stop();
        self.wait();
    }
}
