//! The JSON Schemas of the files that are saved.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use plimsoll_core::run;

/// Writes the checked-in schemas.
pub(crate) fn write() -> Result<()> {
    for (file, text) in schemas()? {
        std::fs::write(&file, text)
            .with_context(|| format!("failed to write `{}`", file.display()))?;
    }
    Ok(())
}

/// Fails if a checked-in schema is out of step with the code.
pub(crate) fn check() -> Result<()> {
    for (file, text) in schemas()? {
        let found = std::fs::read_to_string(&file).with_context(|| {
            format!("`{}` is missing: run `cargo xtask schema`", file.display())
        })?;
        if found != text {
            bail!(
                "`{}` is out of step with the code: run `cargo xtask schema`",
                file.display()
            );
        }
    }
    Ok(())
}

fn schemas() -> Result<[(PathBuf, String); 1]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    let version = run::SCHEMA_VERSION;
    let text = serde_json::to_string_pretty(&run::schema())?;
    Ok([(
        folder.join(format!("run.v{version}.json")),
        format!("{text}\n"),
    )])
}
