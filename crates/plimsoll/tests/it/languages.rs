//! What is refused is refused in either language: the same exit code, and no English sentence in
//! Chinese.

use super::{plimsoll, run, stderr, stdout};

/// Command lines that make no sense, or lead nowhere. `|` parts the words.
const WRONG: [&str; 73] = [
    "",
    "fnd",
    "find",
    "find|h:1|--sim",
    "find|h:1|h:2",
    "find|h:1|--sloo|ttft p95 <= 1s",
    "find|h:1|--budget",
    "find|h:1|--budget|15",
    "find|h:1|--budget|99999999999h",
    "find|h:1|--budget|NaN",
    "find|h:1|--budget=-1s",
    "find|h:1|--budget|30s1m",
    "find|h:1|--timeout|0s",
    "find|h:1|--budget|1m|--budget|2m",
    "find|h:1|--level-time|20m",
    "find|h:1|--by|hour",
    "find|h:1|--http|3",
    "find|h:1|--endpoint|soap",
    "find|h:1|--seed|x",
    "find|h:1|--seed=-1",
    "find|h:1|--repeat|1",
    "find|h:1|--max-concurrency|0",
    "find|h:1|--max-concurrency|many",
    "find|h:1|--start|8|--max-concurrency|4",
    "find|h:1|--ladder|gide",
    "find|h:1|--preset|fast",
    "find|h:1|--preset|soak",
    "find|h:1|--workload|poetry",
    "find|h:1|--min-success|0.95",
    "find|h:1|--min-success|95",
    "find|h:1|--min-growth|200%",
    "find|h:1|--headroom|1",
    "find|h:1|--confidence|half",
    "find|h:1|--slo|tftt p95 <= 1s",
    "find|h:1|--slo|ttft p95 1s",
    "find|h:1|--slo|ttft <= 1s",
    "find|h:1|--slo|ttft p950 <= 1s",
    "find|h:1|--slo|ttft p95 >= 1s",
    "find|h:1|--slo|ttft p95 x <= 1s",
    "find|h:1|--slo|success p95 >= 99%",
    "find|h:1|--slo|speed p5 >= 20ms",
    "find|h:1|--slo|goodput >= 95%",
    "find|h:1|--slo-tier|ttft p95 <= 1s",
    "find|h:1|--slo-tier|a: ttft p95 <= 1s|--slo-tier|a: ttft p95 <= 2s",
    "find|h:1|--slo-tier|a: ttft p95 <= 1s|--slo|ttft p95 <= 1s",
    "find|ftp://h",
    "find|http://user@h",
    "find|h:x",
    "find|h:1|--proxy|ftp://p",
    "find|h:1|--key|k.pem",
    "find|h:1|--connect-to|a b",
    "find|h:1|--source-ip|here",
    "find|127.0.0.1:1|--source-ip|192.0.2.1",
    "find|https://127.0.0.1:1|--cacert|nowhere.pem",
    "find|127.0.0.1:1",
    "find|no-such-host.invalid:80",
    "find|--sim|--profile|tpu",
    "find|--sim|--max-num-seqs|0",
    "find|--resume|nowhere",
    "find|--from|nowhere|--slo|ttft p95 <= 1s",
    "find|127.0.0.1:1|--out|/dev/null/x",
    "check|h:1",
    "check|h:1|--rate|2|--concurrency|3",
    "check|h:1|--max-concurrency|3",
    "check|h:1|--rate|2|--think-time|1m30s",
    "check|h:1|--preset|capacity",
    "plan",
    "plan|--users|x",
    "plan|--users|1|--qps|1",
    "plan|--from|nowhere",
    "sim|--metronome|5",
    "sim|--faults|{\"error_share\":2}",
    "bench",
];

/// The same of `bench serve`.
const WRONG_BENCHES: [&str; 36] = [
    "--nope",
    "--exit-zer",
    "word",
    "--dataset|x",
    "--num-prompts",
    "--num-prompts|x",
    "--num-prompts|0",
    "--num-prompts=-1",
    "--save-result=yes",
    "--goodput",
    "--goodput|ttft",
    "--goodput|best:1",
    "--seed.x|1",
    "--profile",
    "--lora-modules|a",
    "--chat-template-kwargs|{}",
    "--backend|tgi",
    "--backend|soap",
    "--dataset-name|sonnet",
    "--dataset-name|poems",
    "--dataset-name|sharegpt",
    "--dataset-path|nowhere.jsonl",
    "--key|k.pem",
    "--port|0",
    "--endpoint|/v2",
    "--header|x",
    "--metadata|x",
    "--source-ip|here",
    "--connect-to|a b",
    "--base-url|ftp://h",
    "--extra-body|[]",
    "--request-rate|0",
    "--ramp-up-strategy|steep",
    "--ramp-up-start-rps|1",
    "--random-range-ratio|2",
    "--base-url|http://127.0.0.1:1",
];

fn refused(line: &str, more: &[&str], locale: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let words = line.split('|').filter(|word| !word.is_empty());
    let output = run(plimsoll()
        .args(words)
        .args(more)
        .env("LC_ALL", locale)
        .current_dir(&folder));
    let text = stderr(&output);
    (output.status.code(), text)
}

#[test]
fn what_is_refused_in_chinese_has_no_english_sentence_and_the_same_exit_code() {
    let by_argument = |line: &str, lang: &str| refused(line, &["--lang", lang], "C");
    all_are_chinese(&WRONG, by_argument);
}

#[test]
fn bench_serve_speaks_the_language_of_the_locale() {
    all_are_chinese(&WRONG_BENCHES, |line, lang| {
        let locale = if lang == "zh" { "zh_CN.UTF-8" } else { "C" };
        refused(&format!("bench|serve|{line}"), &[], locale)
    });
}

fn all_are_chinese(lines: &[&str], refused: impl Fn(&str, &str) -> (Option<i32>, String)) {
    let mut wrong = Vec::new();
    for line in lines {
        let (code, english) = refused(line, "en");
        let (same, chinese) = refused(line, "zh");
        let is_refused = code.is_some_and(|code| code > 0) && code == same;
        let is_chinese = sentence(&chinese).is_none() && chinese.contains("错误：");
        if !is_refused || !is_chinese {
            wrong.push(format!(
                "{line} ({code:?}, {same:?}):\n{english}\n{chinese}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two English words side by side that are neither quoted nor the name of an option.
fn sentence(text: &str) -> Option<String> {
    let unquoted = without(&without(&without(text, '`', '`'), '「', '」'), '\'', '\'');
    let words: Vec<&str> = unquoted.split([' ', '\n']).collect();
    let is_word = |word: &str| word.len() > 1 && word.chars().all(|one| one.is_ascii_lowercase());
    words
        .windows(2)
        .find(|pair| pair.iter().all(|word| is_word(word)))
        .map(|pair| pair.join(" "))
}

fn without(text: &str, open: char, close: char) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(open) {
        kept.push_str(before);
        kept.push('…');
        rest = behind.split_once(close).map_or("", |(_, rest)| rest);
    }
    kept + rest
}

#[test]
fn a_sentence_is_found_where_there_is_one() {
    assert_eq!(
        sentence("错误：no such thing").as_deref(),
        Some("such thing")
    );
    assert_eq!(
        sentence("错误：`no such thing` 「not a number」 --slo ttft"),
        None
    );
}

#[test]
fn the_locale_speaks_where_no_argument_does() {
    let output = run(plimsoll()
        .args(["find", "--sloo"])
        .env("LC_ALL", "zh_CN.UTF-8"));
    assert!(stderr(&output).starts_with("错误："), "{}", stderr(&output));
    let output = run(plimsoll().arg("--help").env("LC_ALL", "zh_CN.UTF-8"));
    assert!(stdout(&output).contains("用法："), "{}", stdout(&output));
}
