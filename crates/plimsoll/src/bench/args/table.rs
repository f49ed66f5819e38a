//! Every flag of `vllm bench serve` 0.32 and of the older `benchmark_serving.py`, and what this
//! command does with it (compat-vllm.md §1.2 and §6).

use super::flag::{Flag, Kind};
use crate::bench::failure::Instead;

/// The flags, in the order of the help and of the printed namespace.
pub(crate) const FLAGS: &[Flag] = &[
    // Target and model.
    Flag::text(
        "backend",
        "vllm or openai (completions), openai-chat (chat completions), ollama, anthropic",
    )
    .or("openai"),
    Flag::text("endpoint-type", "older name of --backend"),
    Flag::text(
        "base-url",
        "server address with scheme; wins over --host and --port",
    ),
    Flag::text("host", "server host").or("127.0.0.1"),
    Flag::int("port", "server port").or("8000"),
    Flag::text(
        "endpoint",
        "path of the requests; with ollama and anthropic it follows",
    )
    .or("/v1/completions"),
    Flag::text("header", "KEY=VALUE headers of every request").takes(Kind::Many0),
    Flag::text("model", "model name; the server's first one if absent"),
    Flag::text(
        "served-model-name",
        "model name in the requests, if another than --model",
    ),
    Flag::text(
        "tokenizer",
        "no effect but in the result file: the server counts the tokens",
    )
    .accepted(),
    Flag::text("tokenizer-mode", "no effect: there is no tokenizer")
        .or("auto")
        .accepted(),
    Flag::switch("trust-remote-code", "no effect: no foreign code is run").accepted(),
    Flag::switch(
        "skip-tokenizer-init",
        "the result names no tokenizer; every section is kept",
    ),
    Flag::switch("insecure", "take the server's certificate as it is"),
    Flag::text(
        "cacert",
        "PEM file of certificates to trust beside the system's: an authority's or the server's own",
    )
    .own(),
    Flag::text("cert", "PEM file of the client's certificate").own(),
    Flag::text("key", "PEM file of its key; the file of --cert if absent").own(),
    Flag::text(
        "connect-to",
        "connect to these in turn, not to the host of the address, and use no proxy",
    )
    .takes(Kind::Many1)
    .own(),
    Flag::text("source-ip", "local addresses to connect from, in turn")
        .takes(Kind::Many1)
        .own(),
    Flag::text(
        "request-id-prefix",
        "x-request-id is this and the request's number",
    ),
    // Load.
    Flag::int("num-prompts", "requests to send").or("1000"),
    Flag::float("request-rate", "requests per second; inf sends all at once").or("inf"),
    Flag::float(
        "burstiness",
        "gamma shape of the gaps; 1 is Poisson, inf constant",
    )
    .or("1.0"),
    Flag::int("max-concurrency", "at most this many requests in flight"),
    Flag::text(
        "ramp-up-strategy",
        "linear or exponential; instead of --request-rate",
    ),
    Flag::int("ramp-up-start-rps", "rate of the first request"),
    Flag::int("ramp-up-end-rps", "rate of the last request"),
    Flag::int(
        "num-warmups",
        "requests before the measured ones, with prompts of their own",
    )
    .or("0"),
    Flag::int(
        "ready-check-timeout-sec",
        "wait this long for the server to answer; 0 does not",
    )
    .or("0"),
    Flag::refused("probe-request-rate", Kind::One, Instead::Probes).or("0.0"),
    Flag::int(
        "seed",
        "seed of lengths, arrivals and prompts; without the flag the prompts are new in every run",
    )
    .or("0"),
    Flag::refused("self-timed", Kind::OnOff, Instead::Traces),
    Flag::switch("disable-tqdm", "no progress on stderr"),
    Flag::refused("profile", Kind::Switch, Instead::Profiler),
    Flag::refused("lora-modules", Kind::Many1, Instead::Adapters),
    Flag::refused("lora-assignment", Kind::One, Instead::Adapters).or("random"),
    // Request body.
    Flag::switch(
        "ignore-eos",
        "send ignore_eos; always on with random prompts",
    ),
    Flag::int(
        "logprobs",
        "log probabilities of this many tokens; completions only",
    ),
    Flag::switch("use-beam-search", "no effect, as in vLLM").accepted(),
    Flag::float(
        "temperature",
        "sampling temperature; the server's own if absent",
    ),
    Flag::float("top-p", "sampling top_p"),
    Flag::int("top-k", "sampling top_k"),
    Flag::float("min-p", "sampling min_p"),
    Flag::float("frequency-penalty", "sampling frequency_penalty"),
    Flag::float("presence-penalty", "sampling presence_penalty"),
    Flag::float("repetition-penalty", "sampling repetition_penalty"),
    Flag::json(
        "extra-body",
        "JSON merged last into every body; also --extra-body.key VALUE",
    ),
    Flag::refused("chat-template-kwargs", Kind::One, Instead::Templates),
    // Output.
    Flag::switch("save-result", "save the result as JSON"),
    Flag::switch("save-detailed", "keep the arrays with one entry a request"),
    Flag::switch("append-result", "append to the result file, one line a run"),
    Flag::text("metadata", "KEY=VALUE pairs for the result").takes(Kind::Many0),
    Flag::text("result-dir", "directory of the result, made if need be"),
    Flag::text("result-filename", "file of the result"),
    Flag::text("label", "first part of the result's file name"),
    Flag::text("percentile-metrics", "metrics to report, by commas").or("ttft,tpot,itl"),
    Flag::text("metric-percentiles", "percentiles to report, by commas").or("99"),
    Flag::text("goodput", "bounds in ms: ttft:MS tpot:MS e2el:MS").takes(Kind::Many1),
    Flag::refused("plot-timeline", Kind::Switch, Instead::Plots),
    Flag::refused("timeline-itl-thresholds", Kind::One, Instead::Plots).or("25,50"),
    Flag::refused("plot-dataset-stats", Kind::Switch, Instead::Plots),
    // Data sets.
    Flag::text("dataset-name", "random, sharegpt or custom").or("random"),
    Flag::text("dataset-path", "file of the data set"),
    Flag::switch(
        "no-oversample",
        "do not draw rows again when the file has too few",
    ),
    Flag::switch("disable-shuffle", "take the rows in the file's order"),
    Flag::switch(
        "skip-chat-template",
        "no effect: prompts are always sent as they are",
    )
    .accepted(),
    Flag::switch("no-stream", "no effect: data sets are read from files").accepted(),
    Flag::int("input-len", "same as --random-input-len"),
    Flag::int("output-len", "answer length for whichever data set"),
    Flag::int("random-input-len", "prompt length in tokens").or("1024"),
    Flag::int("random-output-len", "answer length in tokens").or("128"),
    Flag::json(
        "random-range-ratio",
        "lengths vary by this share, or {\"input\": a, \"output\": b}",
    )
    .or("0.0"),
    Flag::int(
        "random-prefix-len",
        "tokens before the prompt that all requests share",
    )
    .or("0"),
    Flag::refused("random-batch-size", Kind::One, Instead::Embeddings).or("1"),
    Flag::int("sharegpt-output-len", "answer length instead of the file's"),
    Flag::int(
        "custom-output-len",
        "answer length; -1 takes the output_tokens field",
    )
    .or("256"),
    Flag::refused("enable-multimodal-chat", Kind::Switch, Instead::Media),
    Flag::refused(
        "custom-ensure-client-side-data",
        Kind::Switch,
        Instead::Media,
    ),
    Flag::refused(
        "random-mm-base-items-per-request",
        Kind::One,
        Instead::Media,
    ),
    Flag::refused(
        "random-mm-num-mm-items-range-ratio",
        Kind::One,
        Instead::Media,
    ),
    Flag::refused("random-mm-limit-mm-per-prompt", Kind::One, Instead::Media),
    Flag::refused("random-mm-bucket-config", Kind::One, Instead::Media),
    Flag::refused("asr-min-audio-len-sec", Kind::One, Instead::Media),
    Flag::refused("asr-max-audio-len-sec", Kind::One, Instead::Media),
    Flag::refused("no-reranker", Kind::Switch, Instead::Reranking),
    Flag::refused(
        "prefix-repetition-prefix-len",
        Kind::One,
        Instead::SharedPrefix,
    ),
    Flag::refused(
        "prefix-repetition-suffix-len",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "prefix-repetition-num-prefixes",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "prefix-repetition-output-len",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused("spec-bench-output-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("spec-bench-category", Kind::One, Instead::FlagOfDataset),
    Flag::refused(
        "speed-bench-dataset-subset",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused("speed-bench-output-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("speed-bench-category", Kind::One, Instead::FlagOfDataset),
    Flag::refused(
        "timed-trace-chunk-hash-size",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "timed-trace-sec-multiplier",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "timed-trace-label-timestamp",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "timed-trace-label-input-length",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "timed-trace-label-output-length",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused(
        "timed-trace-label-hash-ids",
        Kind::One,
        Instead::FlagOfDataset,
    ),
    Flag::refused("hf-name", Kind::One, Instead::FlagOfDataset),
    Flag::refused("hf-subset", Kind::One, Instead::FlagOfDataset),
    Flag::refused("hf-split", Kind::One, Instead::FlagOfDataset),
    Flag::refused("hf-output-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("blazedit-min-distance", Kind::One, Instead::FlagOfDataset),
    Flag::refused("blazedit-max-distance", Kind::One, Instead::FlagOfDataset),
    Flag::refused("bfcl-categories", Kind::Many1, Instead::FlagOfDataset),
    Flag::refused("sonnet-input-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("sonnet-output-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("sonnet-prefix-len", Kind::One, Instead::FlagOfDataset),
    Flag::refused("config", Kind::One, Instead::CommandLine),
    Flag::text("log-config-file", "no effect: there is no log to configure").accepted(),
    // Only here.
    Flag::switch(
        "exit-zero",
        "exit 0 even if every request failed, as vLLM does",
    )
    .own(),
    Flag::float("timeout", "time limit of one request, seconds")
        .or("21600")
        .own(),
];
