//! Running other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo puts what it builds for release.
pub(crate) fn release() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), PathBuf::from)
        .join("release")
}

/// The cargo that runs this, in the project's root.
pub(crate) fn cargo_itself() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs cargo in the project's root.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    let status = cargo_itself()
        .args(arguments)
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed, standard output and error.
pub(crate) fn output(command: &mut Command) -> Result<(String, String)> {
    let out = command
        .output()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&out.stdout), text(&out.stderr)))
}
