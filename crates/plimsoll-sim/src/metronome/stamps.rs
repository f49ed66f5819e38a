//! Receive stamps: when the kernel had the bytes, on the monotonic clock.
//!
//! Linux stamps a TCP segment when it comes and hands the stamp out with the read. So a server
//! that is late to read still counts a request's time from the moment at which it came. The
//! kernel's clock is the wall clock; it is mapped by measuring the two side by side, again and
//! again, since the wall clock is slewed and may be set.

use super::clock::{now_ns, wall_ns};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSliceMut};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

/// Rounds of one measurement; the one that took the shortest counts.
const ROUNDS: usize = 5;
/// A measurement serves this long: at the 500 ppm that a clock is slewed by, it is off by 5 µs.
const REMEASURE_NS: u64 = 10_000_000;
/// A stamp that lies further from the read than this comes from a clock that was set: the time of
/// the read stands in for it.
const BELIEVABLE_NS: u64 = 60_000_000_000;

/// Reads sockets and stamps what they give.
#[derive(Debug)]
pub(super) struct Stamps {
    /// Wall clock − monotonic clock, ns.
    wall_ahead_ns: i128,
    measured_ns: u64,
    control: Vec<u8>,
}

impl Stamps {
    pub(super) fn new() -> Self {
        let mut stamps = Self {
            wall_ahead_ns: 0,
            measured_ns: 0,
            control: nix::cmsg_space!(TimeSpec),
        };
        stamps.measure();
        stamps
    }

    /// Measures the clocks anew if the last measurement is old.
    pub(super) fn refresh(&mut self, now_ns: u64) {
        if now_ns.saturating_sub(self.measured_ns) > REMEASURE_NS {
            self.measure();
        }
    }

    fn measure(&mut self) {
        let round = |_| {
            let before = now_ns();
            let wall = wall_ns();
            let after = now_ns();
            let ahead = i128::from(wall) - i128::from(before.midpoint(after));
            (after - before, ahead, after)
        };
        if let Some((_, ahead, after)) = (0..ROUNDS).map(round).min_by_key(|(took, ..)| *took) {
            self.wall_ahead_ns = ahead;
            self.measured_ns = after;
        }
    }

    /// Reads what there is, with the time in ns at which the last of it came.
    pub(super) fn read(
        &mut self,
        socket: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<(usize, u64)> {
        let mut slices = [IoSliceMut::new(buffer)];
        let message = recvmsg::<()>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut self.control),
            MsgFlags::empty(),
        )?;
        let kernel = message
            .cmsgs()
            .ok()
            .and_then(|mut messages| messages.find_map(|message| kernel_stamp(&message)));
        let bytes = message.bytes;
        Ok((bytes, self.stamp(kernel, now_ns())))
    }

    /// The kernel's stamp on the monotonic clock, or the time of the read.
    fn stamp(&self, kernel: Option<TimeSpec>, now_ns: u64) -> u64 {
        let on_monotonic = kernel.map(|stamp| {
            let wall = i128::from(stamp.tv_sec()) * 1_000_000_000 + i128::from(stamp.tv_nsec());
            wall - self.wall_ahead_ns
        });
        // A stamp from after the read can only be the error of the mapping.
        on_monotonic
            .and_then(|at| u64::try_from(at).ok())
            .map(|at| at.min(now_ns))
            .filter(|at| now_ns - at < BELIEVABLE_NS)
            .unwrap_or(now_ns)
    }
}

fn kernel_stamp(message: &ControlMessageOwned) -> Option<TimeSpec> {
    match message {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(*stamp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{getsockopt, sockopt};
    use std::io::Write;
    use std::net::TcpListener;

    /// Sends a byte, lets 5 ms of the clock pass, and returns by how much the stamp is after the
    /// write, in ns.
    fn late_read(listener: &TcpListener) -> u64 {
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        let mut stamps = Stamps::new();
        peer.write_all(b"t").unwrap();
        let written = now_ns();
        while now_ns() < written + 5_000_000 {
            std::hint::spin_loop();
        }
        stamps.measure();
        let (count, at) = stamps.read(&socket, &mut [0; 64]).unwrap();
        assert_eq!(count, 1);
        at.saturating_sub(written)
    }

    /// The kernel begins to stamp some time after the first socket has asked for it.
    #[test]
    fn a_late_reader_reads_the_true_time() {
        let listener = super::super::listen::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let stamping = getsockopt(&listener, sockopt::ReceiveTimestampns).unwrap();
        assert!(!stamping || (0..100).any(|_| late_read(&listener) == 0));
    }

    #[test]
    fn a_stamp_that_cannot_be_is_replaced_by_the_time_of_the_read() {
        let stamps = Stamps::new();
        let now = now_ns();
        assert_eq!(stamps.stamp(None, now), now);
        assert_eq!(stamps.stamp(Some(TimeSpec::new(0, 0)), now), now);
        let future = wall_ns() / 1_000_000_000 + 1_000;
        let future = TimeSpec::new(future.cast_signed(), 0);
        assert_eq!(stamps.stamp(Some(future), now), now);
    }
}
