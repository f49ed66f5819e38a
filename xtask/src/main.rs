//! Chores of the project: `cargo xtask schema` writes the JSON Schema of the run file,
//! `cargo xtask schema --check` sees that the checked-in one is in step.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["schema"] => {
            std::fs::write(schema_file(), schema()?).context("failed to write the schema")
        }
        ["schema", "--check"] => check_schema(),
        _ => bail!("usage: cargo xtask schema [--check]"),
    }
}

fn schema_file() -> PathBuf {
    let version = plimsoll_core::run::SCHEMA_VERSION;
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../schema/run.v{version}.json"))
}

fn schema() -> Result<String> {
    let schema = plimsoll_core::run::schema();
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?))
}

fn check_schema() -> Result<()> {
    let file = schema_file();
    let found = std::fs::read_to_string(&file)
        .context("the schema is missing: run `cargo xtask schema`")?;
    if found != schema()? {
        bail!("the schema is out of step with the code: run `cargo xtask schema`");
    }
    Ok(())
}
