//! One word for one thing: the texts keep to `docs/glossary.md`.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A table of more terms than that is read by nobody.
const MOST_TERMS: usize = 30;
/// What a person may type is no text of ours.
const TYPED: [&str; 2] = ["slo/names.rs", "slo/parse.rs"];

struct Term {
    chinese: String,
    retired: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn terms() -> Vec<Term> {
    let text = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.skip(1).map(term).collect()
}

/// `| English | 中文 | meaning | not |`
fn term(row: &str) -> Term {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let ["", _, chinese, _, retired, ""] = cells[..] else {
        panic!("four cells: {row}");
    };
    let retired = retired.split(", ").filter(|word| !word.is_empty());
    Term {
        chinese: chinese.to_owned(),
        retired: retired.map(str::to_owned).collect(),
    }
}

/// The sources and snapshots below a folder.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, found);
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "snap")
        {
            found.push(path);
        }
    }
}

/// All that a reader of Chinese may see, with the place of it.
fn texts() -> Vec<(PathBuf, String)> {
    let root = root();
    let mut files = vec![root.join("README.zh-CN.md")];
    for folder in fs::read_dir(root.join("crates")).unwrap() {
        below(&folder.unwrap().path().join("src"), &mut files);
    }
    below(&root.join("xtask/src"), &mut files);
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".zh.md") {
            files.push(path);
        }
    }
    files.retain(|path| !TYPED.iter().any(|typed| path.ends_with(typed)));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn no_text_has_a_word_that_the_glossary_retired() {
    let texts = texts();
    let mut found = Vec::new();
    for word in terms().iter().flat_map(|term| &term.retired) {
        for (path, text) in &texts {
            let lines = (1..).zip(text.lines());
            let with_it = lines.filter(|(_, line)| line.contains(word.as_str()));
            found.extend(with_it.map(|(at, _)| format!("{word} in {}:{at}", path.display())));
        }
    }
    assert!(
        found.is_empty(),
        "see docs/glossary.md:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_glossary_is_short_and_has_the_words_in_use() {
    let (terms, texts) = (terms(), texts());
    assert!(
        (20..=MOST_TERMS).contains(&terms.len()),
        "{} terms",
        terms.len()
    );
    for term in terms {
        let is_used = texts.iter().any(|(_, text)| text.contains(&term.chinese));
        assert!(is_used, "{} is nowhere in use", term.chinese);
    }
}
