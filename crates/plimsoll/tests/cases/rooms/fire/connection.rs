//! Connections that break, stand still, or say more than was asked.

use super::mode::Made::{Answer, Failure};
use super::mode::Mode;
use super::mode::Then::{Close, Drip, Hang, Next, Reset};
use super::wire::{CHUNKED, FINISH, TO_CLOSE, TOKEN, answer, open, stream};

pub(super) fn modes() -> Vec<Mode> {
    let late = Failure("timed_out");
    vec![
        Mode::new(
            "close_at_once",
            "a close without a word",
            ("", Close),
            Failure("reset"),
        ),
        Mode::new(
            "reset_at_once",
            "a reset without a word",
            ("", Reset),
            Failure("reset"),
        ),
        Mode::new(
            "reset_in_stream",
            "a reset after three tokens",
            (open(TOKEN.repeat(3)), Reset),
            Failure("reset"),
        ),
        Mode::new(
            "close_in_stream",
            "a close after three tokens",
            (open(TOKEN.repeat(3)), Close),
            Failure("reset"),
        ),
        Mode::new(
            "close_without_length",
            "a close after three tokens, where the close ends the answer",
            (format!("{TO_CLOSE}{}", TOKEN.repeat(3)), Close),
            Failure("ended_early"),
        ),
        Mode::new(
            "close_in_event",
            "a close within an event",
            (format!("{TO_CLOSE}data: {{\"cho"), Close),
            Failure("ended_early"),
        ),
        Mode::new(
            "close_in_head",
            "a close within the head",
            ("HTTP/1.1 200 OK\r\nContent-", Close),
            Failure("reset"),
        ),
        Mode::new("hang_at_once", "silence", ("", Hang), late),
        Mode::new(
            "hang_in_head",
            "silence within the head",
            ("HTTP/1.1 200 OK\r\nCon", Hang),
            late,
        ),
        Mode::new(
            "hang_after_head",
            "silence after the head",
            (CHUNKED, Hang),
            late,
        ),
        Mode::new(
            "hang_in_stream",
            "silence after three tokens",
            (open(TOKEN.repeat(3)), Hang),
            late,
        ),
        Mode::new(
            "hang_in_event",
            "silence within an event",
            (open("data: {\"cho"), Hang),
            late,
        ),
        Mode::new(
            "hang_after_finish",
            "silence after the finish reason",
            (open(format!("{TOKEN}{FINISH}")), Hang),
            late,
        ),
        Mode::new(
            "hang_after_done",
            "silence after the last word",
            (open(answer()), Hang),
            Answer,
        ),
        Mode::new("drip", "a byte at a time", (stream(answer()), Drip), Answer),
        Mode::new(
            "close_after",
            "a close after each answer",
            (stream(answer()), Close),
            Answer,
        ),
        Mode::new(
            "two_answers",
            "two answers for one request",
            ([stream(answer()), stream(answer())].concat(), Next),
            Answer,
        ),
    ]
}
