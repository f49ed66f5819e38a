//! An OpenAI-compatible server over the model engine: HTTP/1.1, and HTTP/2 by prior knowledge.
//!
//! The engine runs on a thread of its own in real time ([`runner`]); connections are served by
//! `workers` further threads, each with a single-threaded runtime. Tokens travel from the one to
//! the others through a [`hub`] per worker.

pub(crate) mod ask;
mod body;
pub(crate) mod clock;
mod conn;
pub(crate) mod error;
pub(crate) mod generate;
mod http;
mod hub;
mod metrics;
pub(crate) mod models;
pub(crate) mod runner;
mod script;
mod truth;
pub(crate) mod wire;
mod words;
mod worker;

pub use truth::{Latency, Truth};

use crate::engine::{Engine, EngineParams, ParamError};
use crate::faults::{FaultError, Faults};
use clock::Clock;
use hub::Hub;
use plimsoll_core::protocol::Protocol;
use runner::EngineRoom;
use serde::Serialize;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use truth::Recorder;

/// Connections that may wait to be accepted; the kernel cuts it to its own limit.
pub(crate) const BACKLOG: nix::sys::socket::Backlog = nix::sys::socket::Backlog::MAXCONN;

/// What to serve, where, and how badly.
#[derive(Clone, Serialize)]
pub struct SimConfig {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The engine behind the server.
    pub engine: EngineParams,
    /// Its misbehaviours.
    pub faults: Faults,
    /// Name of the served model.
    pub model: String,
    /// The protocols served; the paths of others are not there.
    pub protocols: Vec<Protocol>,
    /// Key that requests below `/v1/` and `/api/` must bring, as their protocol shows it; never
    /// shown here.
    #[serde(skip)]
    pub api_key: Option<String>,
    /// Seed of the step jitter, the answers' lengths and the faults.
    pub seed: u64,
    /// Threads that serve connections; 0 counts as 1. One carries 1000 streams at 50 tokens/s.
    pub workers: usize,
    /// HTTP/2 streams that a connection takes at once; the library's own limit if `None`.
    pub max_concurrent_streams: Option<u32>,
}

impl SimConfig {
    /// Returns a server of `engine` on a free port of the loopback, without faults or key.
    pub fn local(engine: EngineParams) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            engine,
            faults: Faults::default(),
            model: "sim".to_owned(),
            protocols: Protocol::ALL.to_vec(),
            api_key: None,
            seed: 1,
            workers: 1,
            max_concurrent_streams: None,
        }
    }
}

impl std::fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimConfig")
            .field("bind", &self.bind)
            .field("engine", &self.engine)
            .field("faults", &self.faults)
            .field("model", &self.model)
            .field("protocols", &self.protocols)
            .field("api_key", &self.api_key.as_ref().map(|_| "…"))
            .field("seed", &self.seed)
            .field("workers", &self.workers)
            .field("max_concurrent_streams", &self.max_concurrent_streams)
            .finish()
    }
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The engine's parameters describe no engine.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// The faults' shares are impossible.
    #[error(transparent)]
    Faults(#[from] FaultError),
    /// The address cannot be listened on.
    #[error("failed to listen on `{bind}`")]
    Bind {
        /// The address asked for.
        bind: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of certificates or keys cannot be read.
    #[error("failed to read `{}`", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not make a TLS server.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
    /// The certificates of the clients' authorities verify nothing.
    #[error("failed to set up the check of client certificates")]
    ClientCa(#[source] rustls::server::VerifierBuilderError),
    /// The system gives no thread or no event queue.
    #[error("failed to start a thread of the server")]
    Thread(#[source] io::Error),
}

/// What all parts of one server share.
#[derive(Debug)]
struct Shared {
    config: SimConfig,
    room: Arc<EngineRoom>,
    hubs: Vec<Arc<Hub>>,
    recorder: Arc<Recorder>,
    clock: Clock,
    /// Most tokens of a request, prompt and output together.
    limit_tokens: u64,
    /// When the server started, in seconds since 1970.
    created: u64,
    numbers: AtomicU64,
}

impl Shared {
    fn new(config: SimConfig) -> Self {
        let clock = Clock::start();
        let hubs: Vec<_> = (0..config.workers.max(1))
            .map(|_| Arc::<Hub>::default())
            .collect();
        let engine = Engine::new(config.engine.clone(), config.seed);
        let limit_tokens = engine.limit_tokens();
        Self {
            config,
            room: Arc::new(EngineRoom::new(engine, clock, hubs.clone())),
            hubs,
            recorder: Arc::default(),
            clock,
            limit_tokens,
            created: clock::unix_seconds(),
            numbers: AtomicU64::new(0),
        }
    }

    /// Returns the next request's number, counted from 0.
    fn next_number(&self) -> u64 {
        // Only uniqueness matters, no other memory hangs on it.
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// A running server; dropping it stops its threads and cuts its connections.
#[derive(Debug)]
pub struct SimServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Stops a server from another thread, such as a signal handler's. Clones stop the same server.
#[derive(Debug, Clone)]
pub struct StopHandle {
    room: Arc<EngineRoom>,
}

impl StopHandle {
    /// Tells the server to stop; returns at once.
    pub fn stop(&self) {
        self.room.stop();
    }
}

impl SimServer {
    /// Starts a server and returns when it is listening.
    ///
    /// # Errors
    /// If the parameters or faults are impossible, or the address or a thread cannot be had.
    ///
    /// # Examples
    /// ```no_run
    /// use plimsoll_sim::{Profile, SimConfig, SimServer};
    /// let toy = Profile::named("toy").expect("a listed name").engine;
    /// let server = SimServer::start(SimConfig::local(toy))?;
    /// println!("serving at {}", server.url());
    /// # Ok::<(), plimsoll_sim::SimError>(())
    /// ```
    pub fn start(config: SimConfig) -> Result<Self, SimError> {
        config.engine.validate()?;
        config.faults.validate()?;
        let bind = config.bind;
        let listen = || -> io::Result<(TcpListener, SocketAddr)> {
            let listener = TcpListener::bind(bind)?;
            // The library listens with room for 128: a thousand clients at once would be told to
            // try again a second later.
            nix::sys::socket::listen(&listener, BACKLOG)?;
            listener.set_nonblocking(true)?;
            let addr = listener.local_addr()?;
            Ok((listener, addr))
        };
        let (listener, addr) = listen().map_err(|source| SimError::Bind { bind, source })?;
        let shared = Arc::new(Shared::new(config));
        // From here on, dropping the server stops what has been started so far.
        let mut server = Self {
            addr,
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        let room = Arc::clone(&shared.room);
        server.spawn("sim-engine".to_owned(), move || room.run())?;
        for index in 0..shared.hubs.len() {
            let listener = listener.try_clone().map_err(SimError::Thread)?;
            let worker = worker::Worker::new(Arc::clone(&shared), index, listener)
                .map_err(SimError::Thread)?;
            server.spawn(format!("sim-http-{index}"), move || worker.run())?;
        }
        Ok(server)
    }

    fn spawn(
        &mut self,
        name: String,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), SimError> {
        let thread = std::thread::Builder::new().name(name).spawn(body);
        self.threads.push(thread.map_err(SimError::Thread)?);
        Ok(())
    }

    /// Returns the address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns its base URL, without a path or a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns what a perfect client would have reported since the start or the last reset.
    pub fn truth(&self) -> Truth {
        self.shared.recorder.truth()
    }

    /// Returns the engine's present state and its counters since the start.
    pub fn gauges(&self) -> crate::engine::Gauges {
        self.shared.room.gauges()
    }

    /// Forgets the truth so far; the engine, its cache and its counters stay as they are.
    pub fn reset(&self) {
        self.shared.recorder.reset();
    }

    /// Returns a handle that stops this server.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            room: Arc::clone(&self.shared.room),
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

impl Drop for SimServer {
    fn drop(&mut self) {
        self.shared.room.stop();
        self.wait();
    }
}
