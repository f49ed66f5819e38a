//! The JSON Schema of the run file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes the checked-in schema.
pub(crate) fn write() -> Result<()> {
    std::fs::write(file(), schema()?).context("failed to write the schema")
}

/// Fails if the checked-in schema is out of step with the code.
pub(crate) fn check() -> Result<()> {
    let found = std::fs::read_to_string(file())
        .context("the schema is missing: run `cargo xtask schema`")?;
    if found != schema()? {
        bail!("the schema is out of step with the code: run `cargo xtask schema`");
    }
    Ok(())
}

fn file() -> PathBuf {
    let version = plimsoll_core::run::SCHEMA_VERSION;
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../schema/run.v{version}.json"))
}

fn schema() -> Result<String> {
    let schema = plimsoll_core::run::schema();
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?))
}
