//! Servers as people reported them, and what the command says of them.
//!
//! A case is a server that a test writes byte by byte (`server`), the command lines that meet it, and
//! what is right (`case`). What is right follows from what the server does, never from what the
//! command printed once. Cases of one kind stand in one table (`rooms`), and nothing in them depends
//! on how busy the machine is: outcomes, counts, words, exit codes, and bounds that the server's own
//! pauses give.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

mod ask;
mod case;
mod first_runs;
mod openai;
mod places;
mod right;
mod rooms;
mod say;
mod server;
mod told;
