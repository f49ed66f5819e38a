//! Work that may be given up: a time limit, a cut.
//!
//! `select!` polls all its branches whenever one wakes, and an answer of a thousand events would ask
//! a thousand times whether its time is up. Here the deadline has a waker of its own, and is polled
//! only when that has been called.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Wakes the task, and remembers for whom.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl Bell {
    fn hang(task: &Waker) -> Arc<Self> {
        Arc::new(Self {
            // The first poll is always due.
            rung: AtomicBool::new(true),
            task: task.clone(),
        })
    }
}

/// Does `work` unless `deadline` comes first. Work that is ready at the same time counts as done. Both
/// are pinned by the caller: moved in here, they would take their room twice in each stream.
pub(crate) async fn unless<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
    mut deadline: Pin<&mut impl Future<Output = T>>,
) -> T {
    let mut bell: Option<(Arc<Bell>, Waker)> = None;
    std::future::poll_fn(move |context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        // The task may be polled by another waker than before: then a new bell is hung.
        let (bell, waker) = match &mut bell {
            Some((bell, waker)) if bell.task.will_wake(context.waker()) => (bell, waker),
            other => {
                let fresh = Bell::hang(context.waker());
                let waker = Waker::from(Arc::clone(&fresh));
                let (bell, waker) = other.insert((fresh, waker));
                (bell, waker)
            }
        };
        if bell.rung.swap(false, Ordering::Acquire) {
            return deadline.as_mut().poll(&mut Context::from_waker(waker));
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, poll_fn, ready};
    use std::pin::pin;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn what_is_ready_first_counts_and_work_before_its_guard() {
        assert_eq!(block_on(unless(pin!(ready(1)), pin!(ready(2)))), 1);
        assert_eq!(block_on(unless(pin!(pending()), pin!(ready(2)))), 2);
        let deadline = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            2
        };
        assert_eq!(block_on(unless(pin!(pending()), pin!(deadline))), 2);
    }

    #[test]
    fn a_guard_is_not_asked_while_the_work_goes_on() {
        let asked = Rc::new(Cell::new(0));
        let seen = Rc::clone(&asked);
        let deadline = poll_fn(move |_| {
            seen.set(seen.get() + 1);
            Poll::<u32>::Pending
        });
        let work = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            1
        };
        assert_eq!(block_on(unless(pin!(work), pin!(deadline))), 1);
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn a_guard_that_wakes_is_asked_again() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let deadline = async { receiver.await.unwrap() };
        let end = block_on(async {
            let local = tokio::task::LocalSet::new();
            let ringer = local.run_until(async {
                let waiting = tokio::task::spawn_local(async move {
                    unless(pin!(pending()), pin!(deadline)).await
                });
                tokio::task::yield_now().await;
                sender.send(2).unwrap();
                waiting.await.unwrap()
            });
            ringer.await
        });
        assert_eq!(end, 2);
    }
}
