//! The built binary, as a user runs it.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

mod check;
mod errors;
mod files;
mod find;
mod guide_goals;
mod guide_scripts;
mod interrupts;
mod languages;
mod llama;
mod old_runs;
mod plan;
mod protocols;
mod refusals;
mod repeat;
mod resume;
mod selftest;
mod sim;

use std::path::Path;
use std::process::{Command, Output};

use plimsoll_sim::{EngineParams, Profile, SimConfig, SimServer};
use serde_json::Value;

/// The binary, without what the environment of the test could tell it.
pub(crate) fn plimsoll() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("plimsoll"));
    command
        .env_remove("OPENAI_API_KEY")
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("OLLAMA_API_KEY")
        .env("LC_ALL", "C");
    command
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn run_json(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("run.json")).unwrap()).unwrap()
}

/// An engine whose request of about 32 + 16 tokens takes some 40 ms alone.
pub(crate) fn engine() -> EngineParams {
    let toy = Profile::named("toy").unwrap().engine;
    EngineParams {
        step_base_us: 2_000.0,
        prefill_us_per_token: 5.0,
        sequence_us: 10.0,
        ..toy
    }
}

pub(crate) fn serve(engine: EngineParams) -> SimServer {
    SimServer::start(SimConfig::local(engine)).unwrap()
}
