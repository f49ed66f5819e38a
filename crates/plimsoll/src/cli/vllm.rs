//! Options of `vllm bench serve`, and others that people try, typed at `find` or `check`: what to write
//! there instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::fault::{AskFault, Failure, Hint};

/// Options, and what to write instead at `find` and at `check`, each in English and Chinese.
struct Row(&'static [&'static str], Both, Both);

type Both = [&'static str; 2];

const ADDRESS: Both = [
    "the address stands alone: http://HOST:PORT",
    "地址单独写：http://HOST:PORT",
];
const SAVED: Both = [
    "every run is saved: --out DIR says where",
    "每次测试都会保存：用 --out DIR 指定目录",
];
const NO_TOKENIZER: Both = [
    "leave it away: no tokenizer is needed",
    "去掉它：不需要分词器",
];
const ROWS: Both = [
    "lengths are set by --workload, --input-len and --output-len; prompts of a file are sent by \
     `plimsoll bench serve`",
    "长度由 --workload、--input-len 和 --output-len 设定；要发送文件里的提示词，用 `plimsoll bench serve`",
];
const GOODPUT: Both = [
    "write the bounds as objectives: --slo 'ttft p95 <= 1s', or --slo 'goodput >= 95%' beside them",
    "把界限写成目标：--slo 'ttft p95 <= 1s'，或再加 --slo 'goodput >= 95%'",
];
const SETTLES: Both = [
    "leave it away: each load settles before it is measured",
    "去掉它：每档负载都先稳定下来再测",
];

const TABLE: &[Row] = &[
    Row(
        &["--num-prompts", "--num-requests", "--max-requests", "-n"],
        [
            "a search sends as many as its decisions take; --budget bounds its time",
            "搜索按判定的需要决定发多少个；用 --budget 限定时间",
        ],
        [
            "a load is held for a time: --for 10m",
            "负载按时间保持：--for 10m",
        ],
    ),
    Row(
        &["--request-rate", "--rate", "--qps", "--rps"],
        [
            "to search for a rate: --by rate; to hold one: plimsoll check URL --rate R",
            "搜索速率：--by rate；保持一个速率：plimsoll check URL --rate R",
        ],
        [
            "for R requests per second: --rate R",
            "每秒 R 个请求：--rate R",
        ],
    ),
    Row(
        &[
            "--concurrency",
            "--concurrent",
            "--users",
            "--num-users",
            "-c",
        ],
        [
            "to search no higher than N streams: --max-concurrency N; to hold N: plimsoll check URL \
             --concurrency N",
            "搜索不超过 N 路：--max-concurrency N；保持 N 路：plimsoll check URL --concurrency N",
        ],
        [
            "for N streams: --concurrency N",
            "N 路并发：--concurrency N",
        ],
    ),
    Row(
        &["--duration", "--time", "--for"],
        [
            "for the whole search: --budget 15m",
            "整个搜索的时间：--budget 15m",
        ],
        ["to hold the load: --for 10m", "保持负载的时间：--for 10m"],
    ),
    Row(
        &["--budget"],
        ["--budget 15m", "--budget 15m"],
        ["to hold the load: --for 10m", "保持负载的时间：--for 10m"],
    ),
    Row(
        &["--random-input-len", "--isl", "--prompt-len"],
        ["--input-len TOKENS", "--input-len TOKENS"],
        ["--input-len TOKENS", "--input-len TOKENS"],
    ),
    Row(
        &[
            "--random-output-len",
            "--osl",
            "--max-tokens",
            "--sharegpt-output-len",
        ],
        ["--output-len TOKENS", "--output-len TOKENS"],
        ["--output-len TOKENS", "--output-len TOKENS"],
    ),
    Row(
        &["--random-range-ratio"],
        ["--length-spread 10%", "--length-spread 10%"],
        ["--length-spread 10%", "--length-spread 10%"],
    ),
    Row(
        &["--base-url", "--url", "--host", "--port"],
        ADDRESS,
        ADDRESS,
    ),
    Row(
        &["--backend", "--endpoint-type"],
        [
            "--endpoint completions, chat, ollama or anthropic; auto finds it",
            "--endpoint completions、chat、ollama 或 anthropic；auto 会自己找",
        ],
        [
            "--endpoint completions, chat, ollama or anthropic; auto finds it",
            "--endpoint completions、chat、ollama 或 anthropic；auto 会自己找",
        ],
    ),
    Row(
        &[
            "--dataset-name",
            "--dataset-path",
            "--dataset",
            "--custom-output-len",
        ],
        ROWS,
        ROWS,
    ),
    Row(
        &["--goodput", "--percentile-metrics", "--metric-percentiles"],
        GOODPUT,
        GOODPUT,
    ),
    Row(
        &[
            "--ramp-up-strategy",
            "--ramp-up-start-rps",
            "--ramp-up-end-rps",
        ],
        [
            "a search climbs by itself: --ladder, --start and --max-concurrency say how",
            "搜索会自己逐档加压：由 --ladder、--start 和 --max-concurrency 设定",
        ],
        [
            "a check holds one load: plimsoll find climbs",
            "check 只保持一个负载：逐档加压用 plimsoll find",
        ],
    ),
    Row(
        &[
            "--save-result",
            "--save-detailed",
            "--result-dir",
            "--result-filename",
        ],
        SAVED,
        SAVED,
    ),
    Row(&["--num-warmups", "--warmup"], SETTLES, SETTLES),
    Row(
        &["--disable-tqdm"],
        ["--quiet", "--quiet"],
        ["--quiet", "--quiet"],
    ),
    Row(
        &[
            "--tokenizer",
            "--tokenizer-mode",
            "--trust-remote-code",
            "--skip-tokenizer-init",
        ],
        NO_TOKENIZER,
        NO_TOKENIZER,
    ),
    Row(
        &["--ignore-eos"],
        [
            "leave it away: answers are asked for in full length; --no-ignore-eos turns that off",
            "去掉它：默认就要求回答达到完整长度；用 --no-ignore-eos 关闭",
        ],
        [
            "leave it away: answers are asked for in full length; --no-ignore-eos turns that off",
            "去掉它：默认就要求回答达到完整长度；用 --no-ignore-eos 关闭",
        ],
    ),
    Row(
        &["--served-model-name"],
        ["--model NAME", "--model NAME"],
        ["--model NAME", "--model NAME"],
    ),
    Row(
        &["--api-key"],
        [
            "put the key into a variable, and name that: --api-key-env NAME",
            "把密钥放进环境变量，再给出变量名：--api-key-env NAME",
        ],
        [
            "put the key into a variable, and name that: --api-key-env NAME",
            "把密钥放进环境变量，再给出变量名：--api-key-env NAME",
        ],
    ),
];

/// What to write instead, if an option is unknown here and known elsewhere.
pub(crate) fn of_vllm(error: &clap::Error, words: &[String]) -> Option<Failure> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    // As the other parser has it: underscores are dashes, and a value may stand behind `=`.
    let name = typed.split('=').next()?.replace('_', "-");
    let Row(_, find, check) = TABLE.iter().find(|row| row.0.contains(&name.as_str()))?;
    let instead = match words.get(1)?.as_str() {
        "find" => find,
        "check" => check,
        _ => return None,
    };
    let command = words.get(1)?.clone();
    let fault = AskFault::NotAnOption { name, command };
    Some(Failure::from(fault).hint(Hint::Instead(*instead)))
}

#[cfg(test)]
mod tests {
    use plimsoll_report::lang::Lang;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_option_of_others_leads_to_one_of_ours() {
        for (command, row) in ["find", "check"]
            .into_iter()
            .flat_map(|command| TABLE.iter().map(move |row| (command, row)))
        {
            for name in row.0 {
                let line = ["plimsoll", command, "h:1", name, "4"].map(str::to_owned);
                let Err(error) = Cli::parse_in(&line, Lang::En) else {
                    continue;
                };
                if error.kind() != ErrorKind::UnknownArgument {
                    // It has such an option itself.
                    continue;
                }
                let failure = of_vllm(&error, &line).unwrap();
                let text = failure.words(Lang::En);
                assert!(text.contains(name) && text.contains("hint: "), "{text}");
                assert!(failure.words(Lang::Zh).contains("提示："));
                // What is advised is an option of the command that is named.
                let advised = text.split("hint: ").nth(1).unwrap();
                let other = match (command, advised.contains("plimsoll check")) {
                    ("find", false) | ("check", true) => command,
                    _ => "check",
                };
                for option in advised.split([' ', ';', ':', ',', '\'']) {
                    if let Some(long) = option.strip_prefix("--") {
                        let has = |command: &str| has_option(command, long);
                        assert!(has(command) || has(other), "{command} {name}: --{long}");
                    }
                }
            }
        }
        let line = ["plimsoll", "find", "--no-such-thing"].map(str::to_owned);
        let error = Cli::parse_in(&line, Lang::En).unwrap_err();
        assert!(of_vllm(&error, &line).is_none());
    }

    fn has_option(command: &str, long: &str) -> bool {
        use clap::CommandFactory;
        let all = Cli::command();
        let command = all.find_subcommand(command).unwrap();
        command
            .get_arguments()
            .any(|arg| arg.get_long() == Some(long))
    }
}
