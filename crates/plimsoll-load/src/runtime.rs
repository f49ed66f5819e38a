//! The runtime of a thread that carries no load: a fetch, the sampling of metrics, a test.

/// A runtime for the calling thread.
///
/// # Errors
/// The system gives it no event queue.
pub(crate) fn single_threaded() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
