//! A scripted HTTP server, a thread for each connection, that counts what it saw itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ask::Ask;
use super::say::Say;

/// What a server does with a request.
pub(crate) type Script = Arc<dyn Fn(&Ask, &mut Say<'_>) -> io::Result<()> + Send + Sync>;

/// What a server counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// All requests.
    pub(crate) requests: usize,
    /// Those for text.
    pub(crate) generations: usize,
    pub(crate) in_flight: usize,
    pub(crate) most_in_flight: usize,
    /// Answers by their status.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// `METHOD target` of each request.
    pub(crate) targets: BTreeSet<String>,
    /// Whatever a script wants to remember.
    pub(crate) notes: Vec<String>,
    /// Whether it went away.
    has_left: bool,
}

impl Counts {
    /// How often each note beyond its first was a note before: 0 if all differ.
    pub(crate) fn repeated_notes(&self) -> usize {
        self.notes.len() - self.notes.iter().collect::<BTreeSet<_>>().len()
    }
}

/// The counts, shared with the threads that serve.
#[derive(Debug, Default)]
pub(crate) struct Truth(Mutex<Counts>);

impl Truth {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been counted until now.
    pub(crate) fn now(&self) -> Counts {
        self.counts().clone()
    }

    pub(crate) fn note(&self, note: impl Into<String>) {
        self.counts().notes.push(note.into());
    }

    pub(super) fn left(&self) {
        self.counts().has_left = true;
    }

    pub(super) fn answered(&self, status: u16) {
        *self.counts().statuses.entry(status).or_default() += 1;
    }

    /// Counts a request that came, and gives it its number.
    fn came(&self, ask: &mut Ask) {
        let mut counts = self.counts();
        counts.requests += 1;
        let target = [&ask.method, " ", &ask.target].concat();
        let _ = counts.targets.insert(target);
        if ask.is_generation() {
            counts.generations += 1;
            counts.in_flight += 1;
            counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
            ask.number = counts.generations;
        }
    }

    fn went(&self, ask: &Ask) {
        if ask.is_generation() {
            self.counts().in_flight -= 1;
        }
    }
}

/// A server that runs until the test process ends, or until its script leaves.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) truth: Arc<Truth>,
}

impl Server {
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let truth = Arc::new(Truth::default());
        let shared = Arc::clone(&truth);
        drop(std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if shared.counts().has_left {
                    break;
                }
                let (script, truth) = (Arc::clone(&script), Arc::clone(&shared));
                // A client that hangs up in the middle ends the script: that is its right.
                drop(std::thread::spawn(move || serve(&socket, &script, &truth)));
            }
        }));
        Self { address, truth }
    }
}

/// One connection, request after request.
fn serve(socket: &TcpStream, script: &Script, truth: &Truth) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = BufReader::new(socket);
    while let Some(mut ask) = Ask::read(&mut reader)? {
        truth.came(&mut ask);
        let mut say = Say::new(socket, truth);
        let said = script(&ask, &mut say);
        truth.went(&ask);
        said?;
        if say.closes() {
            break;
        }
    }
    Ok(())
}
