//! A machine of two cores on which other programs are at work: what the client does late is not the
//! server's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::super::ask::Ask;
use super::super::case::{Case, find, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::{AllEndedAs, Also, Exit, OutputAsAsked, SaysNot, TtftFromMs};
use super::super::say::Say;
use super::no_level_fails;

/// Other programs that want a core each.
const BUSY_LOOPS: usize = 3;

fn script(ask: &Ask, say: &mut Say<'_>) -> std::io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_generation() {
        return say.not_found();
    }
    answer(ask, say, Pace::DEFAULT)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_loaded_machine() {
    let right = [
        // An answer, or that nothing is known.
        Exit(&[0, 5]),
        AllEndedAs("completed"),
        OutputAsAsked,
        TtftFromMs(Pace::DEFAULT.first_ms as f64),
        Also(no_level_fails),
        SaysNot("SET THE GATEWAY TO   0"),
    ];
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..BUSY_LOOPS {
            let _ = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let tried = std::panic::catch_unwind(|| {
            try_all(vec![Case::new(
                "three busy loops",
                script,
                [find().with("--budget 10s").is(&right)],
            )]);
        });
        is_over.store(true, Ordering::Relaxed);
        if let Err(panic) = tried {
            std::panic::resume_unwind(panic);
        }
    });
}
