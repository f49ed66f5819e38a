//! Receive stamps: the kernel's where it gives them, on the run's clock.
//!
//! Linux stamps a TCP segment when it comes (`SO_TIMESTAMPNS`) and hands the stamp out with the
//! read. A client that is late to read still reads the true time: its own queueing is not in the
//! latency. A read that took several segments has the stamp of the last one. The kernel's clock is
//! the wall clock; it is mapped to the run's by measuring the two side by side, again and again,
//! since the wall clock is slewed and may be set.

mod proof;

use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use plimsoll_core::time::Offset;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::clock::{Clock, wall_nanos};
use crate::context::PollClock;
use crate::stats::LiveStats;
use crate::transport::Transport;

/// Rounds of one measurement; the one that took the shortest counts.
const ROUNDS: usize = 5;
/// A stamp that lies further from the read than this comes from a clock that was set: the time of
/// the read stands in for it.
const BELIEVABLE_NS: u64 = 60_000_000_000;

/// So much a stamp may lie outside of what is possible, by the error of the mapping: what is more than
/// that comes from a clock that was set.
const MAPPING_ERROR_NS: u64 = 1_000_000;

/// Reads sockets and stamps what they give.
pub(crate) struct Stamps {
    clock: Clock,
    /// Wall clock − run's clock, ns.
    wall_ahead_ns: Cell<Option<i128>>,
    control: RefCell<Vec<u8>>,
    stats: Arc<LiveStats>,
    /// Says before when nothing can have come that is read now.
    polls: Option<Arc<PollClock>>,
    /// Whether the latest stamp is not the kernel's, but the time of the read.
    is_own: Cell<bool>,
}

/// Asks the kernel for stamps on a socket, and says whether it gives them; where it does not,
/// reads are stamped when they return.
pub(crate) fn ask_for(socket: &TcpStream) -> bool {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true).is_ok()
}

/// Whether this system's kernel stamps what it receives, found out by trying. From the first call
/// on, the kernel goes on stamping for as long as this process lives.
pub fn kernel_stamps() -> bool {
    static PROOF: OnceLock<Option<proof::Proof>> = OnceLock::new();
    PROOF
        .get_or_init(|| proof::try_out().ok().flatten())
        .is_some()
}

impl Stamps {
    pub(crate) fn new(clock: Clock, stats: Arc<LiveStats>) -> Self {
        let _ = kernel_stamps();
        let stamps = Self {
            clock,
            wall_ahead_ns: Cell::new(None),
            control: RefCell::new(nix::cmsg_space!(TimeSpec)),
            stats,
            polls: None,
            is_own: Cell::default(),
        };
        stamps.measure();
        stamps
    }

    /// The same, which knows when its sockets were looked at.
    pub(crate) fn after_polls(self, polls: Arc<PollClock>) -> Self {
        Self {
            polls: Some(polls),
            ..self
        }
    }

    /// Whether the latest stamp is the time of the read, and so has the client's lateness in it.
    pub(crate) fn is_own(&self) -> bool {
        self.is_own.get()
    }

    /// A stamp that cannot be is replaced by the time of the read, and counted: nothing comes before
    /// it was asked for.
    pub(crate) fn not_before(&self, at: Offset, least: Offset) -> Offset {
        if at >= least {
            return at;
        }
        self.stats.update(|stats| stats.impossible_stamps += 1);
        self.is_own.set(true);
        self.clock.now()
    }

    /// Measures the two clocks side by side. The error of the mapping is at most half of the
    /// shortest round, some 50 ns, and what the wall clock has moved since the last measurement.
    pub(crate) fn measure(&self) {
        let round = |_| {
            let before = self.clock.now().as_nanos();
            let wall = wall_nanos();
            let after = self.clock.now().as_nanos();
            (
                after - before,
                i128::from(wall) - i128::from(before.midpoint(after)),
            )
        };
        let Some((took, ahead)) = (0..ROUNDS).map(round).min_by_key(|(took, _)| *took) else {
            return;
        };
        let moved = self
            .wall_ahead_ns
            .replace(Some(ahead))
            .map_or(0, |before| ahead.abs_diff(before));
        let error = u64::try_from(moved)
            .unwrap_or(u64::MAX)
            .saturating_add(took / 2);
        self.stats
            .update(|stats| stats.clock_error_ns = stats.clock_error_ns.max(error));
    }

    /// Reads what there is, with the time at which it came. "Would block" if there is nothing.
    #[inline]
    pub(crate) fn read(
        &self,
        transport: &Transport,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Offset)> {
        let (count, came) = match transport {
            Transport::Tcp(socket) => self.read_socket(socket, buffer)?,
            #[cfg(test)]
            Transport::Memory(memory) => {
                let (count, at) = memory.read(buffer)?;
                (count, at.map(|at| i128::from(at.as_nanos())))
            }
        };
        Ok((count, self.stamp(came, self.clock.now())))
    }

    /// Reads a socket, with the kernel's stamp on the run's clock, ns, if it gave one.
    #[inline]
    fn read_socket(
        &self,
        socket: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Option<i128>)> {
        let mut control = self.control.borrow_mut();
        let (count, stamp) = socket.try_io(Interest::READABLE, || {
            receive(socket.as_raw_fd(), buffer, &mut control)
        })?;
        if count < buffer.len() {
            drained(socket);
        }
        Ok((count, stamp.map(|stamp| self.on_run(stamp))))
    }

    /// A stamp of the wall clock on the run's, ns.
    fn on_run(&self, stamp: TimeSpec) -> i128 {
        let wall = i128::from(stamp.tv_sec()) * 1_000_000_000 + i128::from(stamp.tv_nsec());
        wall - self.wall_ahead_ns.get().unwrap_or(0)
    }

    /// The stamp that the transport gave, or the time of the read.
    fn stamp(&self, on_run: Option<i128>, now: Offset) -> Offset {
        let least = self.polls.as_ref();
        let least = least.map_or(0, |polls| polls.all_read_before().as_nanos());
        let possible = least.saturating_sub(MAPPING_ERROR_NS)..=now.as_nanos() + MAPPING_ERROR_NS;
        let believable = on_run
            .and_then(|at| u64::try_from(at).ok())
            .filter(|at| possible.contains(at))
            .map(|at| at.min(now.as_nanos()))
            .filter(|at| now.as_nanos() - at < BELIEVABLE_NS);
        self.is_own.set(believable.is_none());
        self.stats.update(|stats| {
            if let Some(at) = believable {
                stats.kernel_read(Duration::from_nanos(now.as_nanos() - at));
                Offset::from_nanos(at)
            } else {
                stats.impossible_stamps += u64::from(on_run.is_some());
                stats.user_reads += 1;
                now
            }
        })
    }
}

/// Reads a socket, with the kernel's stamp if it gave one.
fn receive(
    socket: RawFd,
    buffer: &mut [u8],
    control: &mut [u8],
) -> io::Result<(usize, Option<TimeSpec>)> {
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket, &mut slices, Some(control), MsgFlags::empty())?;
    let stamp = message
        .cmsgs()
        .ok()
        .and_then(|mut messages| messages.find_map(|message| kernel_stamp(&message)));
    Ok((message.bytes, stamp))
}

/// Tells the runtime that a read has emptied the socket, so that the next one waits for more
/// instead of asking the kernel in vain. What comes after the read is announced anew.
fn drained(socket: &TcpStream) {
    let told = socket.try_io(Interest::READABLE, || -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    });
    debug_assert!(told.is_err());
}

fn kernel_stamp(message: &ControlMessageOwned) -> Option<TimeSpec> {
    match message {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(*stamp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn stamps() -> Stamps {
        Stamps::new(Clock::start(), Arc::default())
    }

    /// The bytes come while nobody reads; the reader waits 30 ms of the clock before it looks.
    #[test]
    fn a_late_reader_reads_the_true_time() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let socket = TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
            let stamps = stamps();
            let stamped = ask_for(&socket) && kernel_stamps();
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(b"token").unwrap();
            let written = stamps.clock.now();
            let late = written + Duration::from_millis(30);
            while stamps.clock.now() < late {
                std::hint::spin_loop();
            }
            socket.readable().await.unwrap();
            let transport = Transport::Tcp(socket);
            let (count, at) = stamps.read(&transport, &mut [0; 64]).unwrap();
            assert_eq!(count, 5);
            if stamped {
                assert!(
                    at <= written,
                    "stamped {} ms after the write",
                    at.ms_since(written)
                );
                assert_eq!(stamps.stats.take(stamps.clock.now()).kernel_reads, 1);
            }
        });
    }

    #[test]
    fn a_stamp_that_cannot_be_is_replaced_by_the_time_of_the_read() {
        let stamps = stamps();
        let now = Offset::from_nanos(200_000_000_000);
        assert_eq!(stamps.stamp(None, now), now);
        assert!(stamps.is_own());
        assert_eq!(
            stamps.stamp(Some(stamps.on_run(TimeSpec::new(0, 0))), now),
            now
        );
        assert_eq!(stamps.stats.take(stamps.clock.now()).user_reads, 2);
        let future = wall_nanos() / 1_000_000_000 + 1_000;
        assert_eq!(
            stamps.stamp(
                Some(stamps.on_run(TimeSpec::new(future.cast_signed(), 0))),
                now
            ),
            now
        );
        assert_eq!(stamps.not_before(now, now), now);
        let read = stamps.not_before(Offset::ZERO, Offset::from_nanos(1));
        assert!(read > Offset::ZERO);
        let health = stamps.stats.take(read).health(Duration::ZERO);
        assert_eq!(
            health.impossible_stamps, 2,
            "the future, and before the send"
        );
    }
}
