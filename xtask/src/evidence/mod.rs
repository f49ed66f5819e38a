//! `cargo xtask evidence`: the answer of the search on engines whose capacity is known, what others
//! would have said of them, and how often the judge errs. Everything in virtual time.
//!
//! | module | holds |
//! |---|---|
//! | `population` | the engines, written down beforehand |
//! | `truth` | the true capacity of one, by long holds |
//! | `trial` | a search on one, and how good its answer is |
//! | `aims` | searches with objectives of other kinds, and of users |
//! | `isotonic` | another interval, on the same levels |
//! | `peers` | what others would have said |
//! | `judged` | false decisions of the judge |
//! | `study` | all of it, on all engines, on all cores |
//! | `rates` | shares with their exact bounds |
//! | `gates` | the goals, and which of them are missed |
//! | `page` | the tables of docs/evidence.md |

mod aims;
mod gates;
mod isotonic;
mod judged;
mod page;
mod peers;
mod population;
mod rates;
mod study;
mod trial;
mod truth;

use anyhow::{Context, Result, bail};

use crate::command::cargo;
use study::{Sizes, Study};

/// Where the tables go.
const PAGE: &str = "docs/evidence.md";
/// Between these lines of the page.
const BEGIN: &str = "<!-- tables: begin -->";
const END: &str = "<!-- tables: end -->";

/// The seed set of this release, fixed before its figures were seen; nothing was tuned on it.
const RELEASE: u64 = 20_261_124;
/// The seed set that CI looks at.
const CI: u64 = 7_001;

/// Runs the study, prints its tables, and fails if a goal is excluded by the data.
///
/// `--small`: the set of CI, a few minutes less. `--write`: the tables go into docs/evidence.md.
/// `--set N`: another seed set, for development.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    if cfg!(debug_assertions) {
        return again_optimised(options);
    }
    let (mut set, mut sizes, mut writes) = (RELEASE, Sizes::RELEASE, false);
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--small" => (set, sizes) = (CI, Sizes::SMALL),
            "--write" => writes = true,
            "--set" => {
                let number = rest.next().context("--set needs a number")?;
                set = number.parse().context("--set needs a number")?;
            }
            other => bail!("unknown option `{other}`: --small, --write, --set N"),
        }
    }
    let study = Study::run(set, sizes);
    let page = page::tables(&study, set);
    println!("{page}");
    if writes {
        write(&page)?;
    }
    let missed = gates::missed(&study);
    if missed.is_empty() {
        return Ok(());
    }
    bail!("the data exclude: {}", missed.join("; "))
}

/// The same command, built with optimisation: a debug build takes twenty times as long.
fn again_optimised(options: &[&str]) -> Result<()> {
    let mut arguments = vec![
        "run",
        "--quiet",
        "--release",
        "--package",
        "xtask",
        "--",
        "evidence",
    ];
    arguments.extend(options);
    cargo(&arguments)
}

/// Replaces what stands between the two marks of the page.
fn write(tables: &str) -> Result<()> {
    let text = std::fs::read_to_string(PAGE).with_context(|| format!("failed to read `{PAGE}`"))?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("the page has no begin mark")?;
    let (_, after) = rest.split_once(END).context("the page has no end mark")?;
    let text = format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", tables.trim());
    std::fs::write(PAGE, text).with_context(|| format!("failed to write `{PAGE}`"))
}
