//! The pictures of the method's description, from runs in virtual time and from formulas.
//!
//! | picture | shows | made from |
//! |---|---|---|
//! | `level` | handover, settling, window, and which first tokens count | two levels over a model engine |
//! | `bracket` | the levels of a search against time | a whole search over a model engine |
//! | `interval` | the chance that the capacity is at least C, and the ends of the interval | the levels of another |
//! | `verdict` | capacity, cap and planned mean, with requests in flight like Poisson | the verdict of the same |

mod bracket;
mod canvas;
mod interval;
mod level;
mod run;
mod scale;
mod verdict;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command::root;
use canvas::Lang;

/// Writes every picture.
pub(crate) fn write() -> Result<()> {
    for (name, text) in pictures()? {
        let file = folder().join(&name);
        std::fs::write(&file, text).with_context(|| format!("failed to write {name}"))?;
    }
    Ok(())
}

/// Fails if a picture is out of step with the code.
pub(crate) fn check() -> Result<()> {
    for (name, text) in pictures()? {
        let found = std::fs::read_to_string(folder().join(&name)).with_context(|| {
            format!("docs/pictures/{name} is missing: run `cargo xtask pictures`")
        })?;
        if found != text {
            bail!("docs/pictures/{name} is out of step with the code: run `cargo xtask pictures`");
        }
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("docs/pictures")
}

/// The name and the text of each file.
fn pictures() -> Result<Vec<(String, String)>> {
    let steep = run::search(run::STEEP)?;
    let smooth = run::search(run::SMOOTH)?;
    let hold = run::level()?;
    let mut files = Vec::new();
    for (suffix, lang) in [("", Lang::En), (".zh", Lang::Zh)] {
        files.push((format!("level{suffix}.svg"), level::draw(&hold, lang)));
        files.push((format!("bracket{suffix}.svg"), bracket::draw(&steep, lang)));
        files.push((
            format!("interval{suffix}.svg"),
            interval::draw(&smooth, lang)?,
        ));
        files.push((
            format!("verdict{suffix}.svg"),
            verdict::draw(&smooth, lang)?,
        ));
    }
    Ok(files)
}
