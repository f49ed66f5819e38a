//! `cargo xtask msrv`: whether the declared Rust version can still build this.
//!
//! Three looks, of which the last needs that version's toolchain: clippy's `incompatible_msrv` (part
//! of `just lint`) sees younger functions of the standard library, this command sees dependencies
//! that ask for more, and a build with the declared version sees everything.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command;

/// Checks the dependencies, and builds with the declared version where it is installed.
pub(crate) fn check() -> Result<()> {
    let declared = env!("CARGO_PKG_RUST_VERSION");
    let packages = packages()?;
    let too_new = too_new(&packages, declared)?;
    if !too_new.is_empty() {
        bail!(
            "Rust {declared} is declared, but these ask for more: {}; raise `rust-version` in \
             Cargo.toml, or take older versions of them",
            too_new.join(", ")
        );
    }
    let silent = packages
        .iter()
        .filter(|package| rust_version(package).is_none())
        .count();
    println!(
        "{} packages: none asks for more than Rust {declared}, {silent} do not say",
        packages.len()
    );
    build_with(declared)
}

/// Every package of the lock file, as `cargo metadata` describes it.
fn packages() -> Result<Vec<Value>> {
    let mut cargo = command::cargo_itself();
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ]);
    let (metadata, errors) = command::output(&mut cargo)?;
    let mut metadata: Value = serde_json::from_str(&metadata).context(errors)?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => bail!("`cargo metadata` lists no packages"),
    }
}

/// The packages that ask for a younger Rust than `declared`, with what they ask for.
fn too_new(packages: &[Value], declared: &str) -> Result<Vec<String>> {
    let ours = version(declared)?;
    let mut found = Vec::new();
    for package in packages {
        if let Some(asked) = rust_version(package)
            && version(asked)? > ours
        {
            found.push(format!(
                "{} ({asked})",
                package["name"].as_str().unwrap_or("?")
            ));
        }
    }
    Ok(found)
}

/// What a package declares; many declare nothing.
fn rust_version(package: &Value) -> Option<&str> {
    package["rust_version"].as_str()
}

/// `1.89` and `1.89.0` are the same version.
fn version(text: &str) -> Result<[u32; 3]> {
    let mut parts = [0; 3];
    for (part, word) in parts.iter_mut().zip(text.split('.')) {
        *part = word
            .parse()
            .with_context(|| format!("`{text}` is no version of Rust"))?;
    }
    Ok(parts)
}

/// A build of everything with the declared version, if rustup has it. It is asked first: rustup
/// would fetch what it has not.
fn build_with(declared: &str) -> Result<()> {
    let listed = command::output(Command::new("rustup").args(["toolchain", "list"]));
    let installed = listed.map(|(names, _)| names).unwrap_or_default();
    let Some(toolchain) = installed.lines().find_map(|line| {
        let name = line.split_whitespace().next()?;
        (name.starts_with(&format!("{declared}.")) || name.starts_with(&format!("{declared}-")))
            .then_some(name)
    }) else {
        println!("not built with Rust {declared}: its toolchain is not installed");
        return Ok(());
    };
    let status = Command::new("cargo")
        .arg(format!("+{toolchain}"))
        .args(["check", "--workspace", "--all-targets", "--all-features"])
        .current_dir(command::root())
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("Rust {declared} is declared, but it does not build this");
    }
    println!("built with Rust {declared}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_packages_that_ask_for_more_are_named() {
        let packages = [
            json!({"name": "same", "rust_version": "1.89.0"}),
            json!({"name": "older", "rust_version": "1.9"}),
            json!({"name": "silent", "rust_version": null}),
            json!({"name": "patch", "rust_version": "1.89.1"}),
            json!({"name": "younger", "rust_version": "1.100"}),
        ];
        assert_eq!(
            too_new(&packages, "1.89").unwrap(),
            ["patch (1.89.1)", "younger (1.100)"]
        );
    }

    #[test]
    fn a_version_that_is_none_is_an_error() {
        assert!(version("1.x").is_err());
    }
}
