//! What this machine cannot hold.

use thiserror::Error;

use super::{Hint, Words};

/// This machine has less than so many streams need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum MachineFault {
    /// Each stream is an open file.
    #[error("{streams} streams need {files} open files, and this process may have {limit}")]
    OpenFiles {
        streams: u64,
        files: u64,
        limit: u64,
    },
    /// Each connection has a local port.
    #[error("{streams} streams need as many local ports, and there are {ports}")]
    Ports { streams: u64, ports: u64 },
    /// The kernel keeps something for each socket.
    #[error("{streams} streams need about {need_mb} MB of memory, and {free_mb} MB are free")]
    Memory {
        streams: u64,
        need_mb: u64,
        free_mb: u64,
    },
}

impl MachineFault {
    /// The way out.
    pub(crate) fn hint(self) -> Hint {
        match self {
            Self::OpenFiles { files, .. } => Hint::RaiseOpenFiles { files },
            Self::Ports { .. } => Hint::MorePorts,
            Self::Memory { .. } => Hint::FewerStreams,
        }
    }
}

impl Words for MachineFault {
    fn zh(&self) -> String {
        match self {
            Self::OpenFiles {
                streams,
                files,
                limit,
            } => format!("{streams} 路需要打开 {files} 个文件，而本进程最多 {limit} 个"),
            Self::Ports { streams, ports } => {
                format!("{streams} 路需要同样多的本地端口，而只有 {ports} 个")
            }
            Self::Memory {
                streams,
                need_mb,
                free_mb,
            } => format!("{streams} 路约需 {need_mb} MB 内存，而空闲 {free_mb} MB"),
        }
    }
}
