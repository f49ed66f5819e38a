//! A thread that accepts and serves connections on a single-threaded runtime.

use super::Shared;
use super::body::ResetFlag;
use super::conn::Socket;
use super::http::{Visit, answer};
use crate::random;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// A worker before its thread has started.
#[derive(Debug)]
pub(super) struct Worker {
    shared: Arc<Shared>,
    index: usize,
    listener: tokio::net::TcpListener,
    runtime: Runtime,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        index: usize,
        listener: TcpListener,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(guard);
        Ok(Self {
            shared,
            index,
            listener,
            runtime,
        })
    }

    /// Serves until the hub is stopped; then every connection is dropped as it stands.
    pub(super) fn run(self) {
        let Self {
            shared,
            index,
            listener,
            runtime,
        } = self;
        let hub = Arc::clone(&shared.hubs[index]);
        runtime.block_on(async move {
            tokio::select! {
                () = hub.stopped() => {}
                () = hub.distribute() => {}
                () = accept(&shared, index, &listener) => {}
            }
        });
    }
}

async fn accept(shared: &Arc<Shared>, index: usize, listener: &tokio::net::TcpListener) {
    let mut connections = JoinSet::new();
    for count in 0.. {
        // Out of descriptors or a client gone again: the next attempt may do better, and the
        // yield lets connections end meanwhile.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        connections.spawn(serve(Arc::clone(shared), index, stream, count));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(shared: Arc<Shared>, worker: usize, stream: TcpStream, count: u64) {
    // Without it, a small event would wait for the client's ACK of the one before.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let split = shared.config.faults.split.then(|| {
        let workers = shared.hubs.len() as u64;
        random::stream(shared.config.seed, "split", count * workers + worker as u64)
    });
    let reset = ResetFlag::default();
    let socket = Socket::new(stream, reset.clone(), split);
    let visit = Visit {
        shared,
        worker,
        reset,
    };
    let streams = visit.shared.config.max_concurrent_streams;
    let service = service_fn(move |request| answer(visit.clone(), request));
    // HTTP/2 by prior knowledge: the first bytes of a connection say which protocol it speaks.
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if let Some(streams) = streams {
        builder.http2().max_concurrent_streams(streams);
    }
    // How a connection ends is the client's affair; what it costs its requests is in the truth.
    drop(
        builder
            .serve_connection(TokioIo::new(socket), service)
            .await,
    );
}
