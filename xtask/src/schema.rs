//! The JSON Schemas of the files that are saved.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use plimsoll_core::{check, run};

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

fn schemas() -> Result<[(PathBuf, String); 2]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    let file = |name: &str, version: u32| folder.join(format!("{name}.v{version}.json"));
    let text =
        |schema| -> Result<String> { Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?)) };
    Ok([
        (file("run", run::SCHEMA_VERSION), text(run::schema())?),
        (
            file("check", check::CHECK_SCHEMA_VERSION),
            text(check::schema())?,
        ),
    ])
}
