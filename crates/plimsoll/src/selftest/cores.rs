//! A core for the server, the others for the client.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Which cores do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cores {
    pub(super) client: Vec<usize>,
    pub(super) server: usize,
}

impl Cores {
    /// Splits the cores that this process may use; with one, both share it.
    pub(super) fn split() -> nix::Result<Self> {
        let all = sched_getaffinity(Pid::from_raw(0))?;
        let allowed: Vec<usize> = (0..CpuSet::count())
            .filter(|core| all.is_set(*core).unwrap_or(false))
            .collect();
        let (server, client) = allowed.split_first().ok_or(nix::Error::ENODEV)?;
        Ok(Self {
            client: if client.is_empty() {
                vec![*server]
            } else {
                client.to_vec()
            },
            server: *server,
        })
    }

    /// Binds the calling thread, and what it starts from now on, to the client's cores.
    pub(super) fn take_clients(&self) -> nix::Result<()> {
        bind(&self.client)
    }

    /// Binds the calling thread, and what it starts from now on, to the server's core.
    pub(super) fn take_servers(&self) -> nix::Result<()> {
        bind(&[self.server])
    }
}

fn bind(cores: &[usize]) -> nix::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set)
}
