//! Trying out whether the kernel stamps.
//!
//! The first socket of a system that asks for stamps switches them on, and that takes a while: a
//! segment that comes before has none, and `recvmsg` then makes one at the time of the read, which
//! looks the same. So a socket that asks is kept open for good, and is tried out before any other
//! is believed.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use super::receive;
use crate::clock::wall_nanos;

/// How late a byte is read to see whether it has the stamp of its coming or of its reading.
const LATE_NS: u64 = 200_000;
/// Attempts before the kernel is held not to stamp: 100 ms in all.
const ATTEMPTS: usize = 500;

/// A kernel that stamps; the socket that makes it go on.
#[derive(Debug)]
pub(super) struct Proof {
    _keeper: TcpStream,
}

/// Sends itself bytes and reads them late, until one has the stamp of its coming. `None` if none
/// ever has.
pub(super) fn try_out() -> io::Result<Option<Proof>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let reader = TcpStream::connect(listener.local_addr()?)?;
    let (mut writer, _) = listener.accept()?;
    setsockopt(&reader, sockopt::ReceiveTimestampns, &true)?;
    writer.set_nodelay(true)?;
    let mut control = nix::cmsg_space!(TimeSpec);
    for _ in 0..ATTEMPTS {
        writer.write_all(&[0])?;
        let late = wall_nanos() + LATE_NS;
        while wall_nanos() < late {
            std::hint::spin_loop();
        }
        let (_, stamp) = receive(reader.as_raw_fd(), &mut [0], &mut control)?;
        if stamp.is_some_and(|stamp| nanos(stamp) < late - LATE_NS / 2) {
            return Ok(Some(Proof { _keeper: reader }));
        }
    }
    Ok(None)
}

fn nanos(stamp: TimeSpec) -> u64 {
    stamp.tv_sec().cast_unsigned() * 1_000_000_000 + stamp.tv_nsec().cast_unsigned()
}
