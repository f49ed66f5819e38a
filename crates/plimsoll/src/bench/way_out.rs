//! What to do instead of what `bench serve` does not do.

use thiserror::Error;

use crate::fault::{Hint, Words};

/// What to do about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum WayOut {
    #[error("did you mean {0}?")]
    DidYouMean(String),
    #[error("--help lists every flag")]
    Help,
    #[error("choose from {0}")]
    ChooseFrom(String),
    #[error("add {0}")]
    Add(String),
    #[error("name it with --model")]
    NameModel,
    #[error("is the server running, and are --host and --port, or --base-url, right?")]
    IsItRunning,
    #[error("give --custom-output-len a number above 0")]
    OutputLen,
    #[error(transparent)]
    Machine(Hint),
    #[error(transparent)]
    Instead(Instead),
}

impl Words for WayOut {
    fn zh(&self) -> String {
        match self {
            Self::DidYouMean(name) => format!("是不是 `{name}`？"),
            Self::Help => "--help 列出所有参数".into(),
            Self::ChooseFrom(known) => format!("可选：`{known}`"),
            Self::Add(words) => format!("加上 `{}`", words.replace(", or ", "` 或 `")),
            Self::NameModel => "用 --model 给出模型名".into(),
            Self::IsItRunning => "服务是否在运行？--host 和 --port（或 --base-url）对吗？".into(),
            Self::OutputLen => "给 --custom-output-len 一个大于 0 的数".into(),
            Self::Machine(hint) => hint.zh(),
            Self::Instead(instead) => instead.zh(),
        }
    }
}

/// What to do instead of something that is known and not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Instead {
    #[error("requests carry text only; use `--dataset-name random`, `sharegpt` or `custom`")]
    Media,
    #[error(
        "its dataset is not offered; export the prompts as JSON Lines with a `prompt` field and use \
         `--dataset-name custom --dataset-path FILE.jsonl`"
    )]
    FlagOfDataset,
    #[error(
        "export the prompts as JSON Lines with a `prompt` field and use \
         `--dataset-name custom --dataset-path FILE.jsonl`"
    )]
    Dataset,
    #[error("run once for each adapter, with `--served-model-name ADAPTER`")]
    Adapters,
    #[error("no plots are drawn here; save the arrays with `--save-result --save-detailed`")]
    Plots,
    #[error(
        "probes would load the server beside the measured requests; watch it with a second run"
    )]
    Probes,
    #[error("traces with times are not offered; use --request-rate")]
    Traces,
    #[error("start and stop the profiler yourself: POST /start_profile and /stop_profile")]
    Profiler,
    #[error(
        "templates are the server's: --extra-body '{{\"chat_template_kwargs\": …}}' with openai-chat"
    )]
    Templates,
    #[error("embedding requests are not offered")]
    Embeddings,
    #[error("rerank requests are not offered")]
    Reranking,
    #[error("for one shared prefix use `--dataset-name random --random-prefix-len N`")]
    SharedPrefix,
    #[error("write the flags on the command line")]
    CommandLine,
    #[error("use `--backend openai`, if the server has OpenAI-compatible routes")]
    OpenAiBackend,
    #[error("use `--backend openai-chat --endpoint /v1/chat/completions`")]
    ChatBackend,
    #[error("only text generation is measured: vllm, openai or openai-chat")]
    TextOnly,
}

impl Words for Instead {
    fn zh(&self) -> String {
        let text = match self {
            Self::Media => "请求只带文本；用 `--dataset-name random`、`sharegpt` 或 `custom`",
            Self::FlagOfDataset => {
                "不提供它的数据集；把提示词导出为带 `prompt` 字段的 JSON Lines，再用 \
                 `--dataset-name custom --dataset-path FILE.jsonl`"
            }
            Self::Dataset => {
                "把提示词导出为带 `prompt` 字段的 JSON Lines，再用 \
                 `--dataset-name custom --dataset-path FILE.jsonl`"
            }
            Self::Adapters => "每个适配器各测一次，用 `--served-model-name ADAPTER`",
            Self::Plots => "这里不画图；用 `--save-result --save-detailed` 保存数组",
            Self::Probes => "探测请求会与被测请求争用服务；另起一次测试来观察",
            Self::Traces => "不提供带时间的轨迹；用 --request-rate",
            Self::Profiler => "请自行启停性能分析：`POST /start_profile` 与 `/stop_profile`",
            Self::Templates => {
                "模板由服务决定：用 openai-chat 时写 --extra-body '{\"chat_template_kwargs\": …}'"
            }
            Self::Embeddings => "不提供嵌入请求",
            Self::Reranking => "不提供重排请求",
            Self::SharedPrefix => "要共用前缀，用 `--dataset-name random --random-prefix-len N`",
            Self::CommandLine => "把参数写在命令行上",
            Self::OpenAiBackend => "若服务有 OpenAI 兼容接口，用 `--backend openai`",
            Self::ChatBackend => "用 `--backend openai-chat --endpoint /v1/chat/completions`",
            Self::TextOnly => "只测文本生成：vllm、openai 或 openai-chat",
        };
        text.to_owned()
    }
}
