//! The help in Chinese: arguments that commands share.

use super::Texts;

/// The server that is loaded.
pub(super) const SERVER: Texts = &[
    (
        "url",
        "服务地址：host:port，可带也可不带 http:// 和 /v1；也可照抄厂商文档里的地址",
    ),
    ("sim", "不测真实服务，改用内置引擎"),
    ("model", "模型名；不给则用服务列出的第一个"),
    (
        "endpoint",
        "使用的接口；auto 表示有 completions 就用它，否则用 chat，两者都没有时再试其他接口",
    ),
    (
        "api_key_env",
        "存放 API 密钥的环境变量名；不给则用 OPENAI_API_KEY 或该接口惯用的变量",
    ),
];

/// How it is reached.
pub(super) const CONNECTION: Texts = &[
    (
        "http",
        "HTTP 版本：1.1，每个请求占一条连接；2，多个请求共用一条连接，明文时直接使用，\
         TLS 时须服务端同意；auto，TLS 时由服务端选择，否则用 1.1",
    ),
    (
        "cacert",
        "除系统证书外还信任的证书（PEM）：CA 证书，或服务端自己的证书",
    ),
    ("insecure", "不校验服务端证书"),
    ("cert", "客户端证书（PEM）"),
    ("key", "客户端证书的私钥（PEM）；不给则从 --cert 的文件里读"),
    (
        "connect_to",
        "连接到这个地址，而不是 URL 里的主机；\
         Host 头和 TLS 校验的名字仍按 URL；可重复给出，轮流使用",
    ),
    ("source_ip", "从这个本机地址发起连接；可重复给出，轮流使用"),
    (
        "proxy",
        "代理，\
         写作 http://、socks5:// 或 socks5h://[用户:密码@]主机:端口；\
         '' 表示不用代理。\
         不给则按环境变量 http_proxy、https_proxy、all_proxy，\
         但本机上的服务始终直连",
    ),
    (
        "no_proxy",
        "不走代理的主机，如 .example.com,10.0.0.0/8 或 '*'；\
         不给则按环境变量 NO_PROXY",
    ),
    (
        "header",
        "每个请求都带的头，写作 'Name: value'；可重复给出；值从不保存",
    ),
    (
        "yes",
        "确认对本机和内网以外的服务施加超过 64 路或每秒 64 个请求的负载",
    ),
];

/// What stands in the body of each request.
pub(super) const BODY: Texts = &[
    (
        "extra_body",
        "加进每个请求体的字段，JSON；也可逐个给出：--extra-body.a.b VALUE",
    ),
    ("temperature", "采样温度；不给则为 0"),
    ("top_p", "采样参数 top_p"),
    ("top_k", "采样参数 top_k"),
    ("min_p", "采样参数 min_p"),
    ("frequency_penalty", "采样参数 frequency_penalty"),
    ("presence_penalty", "采样参数 presence_penalty"),
    ("repetition_penalty", "采样参数 repetition_penalty"),
    (
        "no_ignore_eos",
        "不发送 ignore_eos：回答可以在要求的长度之前结束",
    ),
];

/// What is asked of it.
pub(super) const OBJECTIVES: Texts = &[
    (
        "slo",
        "服务目标，如 'ttft p95 <= 1s' 或 'success >= 99%'；可重复给出",
    ),
    ("min_success", "未给 --slo 时：成功率下限"),
    ("max_ttft", "未给 --slo 时：平均首字时延上限，如 1s、800ms"),
];

/// How long the requests are, and whether streams think.
pub(super) const LENGTHS: Texts = &[
    (
        "workload",
        "按业务选定长度分布和目标：\
         customer-service（客服）、content（内容）、code-assistant（代码）、rag（知识库）、agent（智能体）、batch（批处理）；\
         或用指南自己的数值：guide:客服、guide:内容、guide:代码。\
         另外给出的选项优先",
    ),
    ("input_len", "平均输入长度，token；不给则为 512"),
    ("output_len", "平均输出长度，token；不给则为 128"),
    (
        "length_spread",
        "长度围绕平均值均匀浮动的幅度；不给则为 10%，或按业务",
    ),
    (
        "think_time",
        "每一路收到回答后平均停顿多久再发下一个请求，如 60s；此时路数即用户数",
    ),
    (
        "fixed_think_time",
        "--think-time 的每次停顿都一样长；不给则像互不相干的用户那样长短不一",
    ),
];

/// How they are sent.
pub(super) const REQUESTS: Texts = &[
    ("timeout", "单个请求的时限"),
    (
        "wait",
        "服务还没准备好（503，或带 Retry-After 的 429）时最多等多久；0 表示不等",
    ),
    ("max_failures", "失败的请求超过这个数就立即结束测试"),
    ("no_keep_alive", "每个请求新建一个连接"),
    ("seed", "长度和到达时刻的随机种子；不给则每次测试都不同"),
    (
        "same_prompts",
        "与 --seed 同用：提示词也重复；服务端的前缀缓存可能还记得它们",
    ),
    ("dry_run", "只显示将要做什么，不发送任何请求"),
    ("out", "结果目录；不给则在 plimsoll-runs/ 下新建"),
    (
        "no_requests",
        "不写 requests.jsonl：无论测多久，结果目录都很小",
    ),
    ("json", "标准输出打印 run.json，而不是报告"),
];

/// What is shown.
pub(super) const SHOWN: Texts = &[
    ("lang", "显示语言"),
    ("quiet", "不显示进度，只给报告"),
    (
        "details",
        "报告另附测试条件、吞吐与拐点、压测客户端、术语含义",
    ),
];

/// The built-in engine.
pub(super) const ENGINE: Texts = &[
    ("profile", "引擎型号：toy、h100-8b、4090-8b 或 h20-70b-tp8"),
    ("step_base_us", "空步（只读一遍权重）的时间，微秒"),
    ("prefill_us_per_token", "每个输入 token 增加的步时间，微秒"),
    ("sequence_us", "步内每条序列增加的时间，微秒"),
    (
        "kv_us_per_token",
        "运行中的序列每个 KV token 增加的时间，微秒",
    ),
    ("max_num_seqs", "同时运行的序列上限"),
    ("max_num_batched_tokens", "每一步最多计算的 token 数"),
    ("kv_blocks", "KV 缓存的大小，单位为 16 个 token 的块"),
    ("queue_limit", "允许排队的请求数，再多就以 429 拒绝"),
    ("jitter_cv", "步时间的变异系数"),
    ("prefix_cache", "相同前缀的输入块是否复用"),
    ("max_model_len", "输入加输出的最大长度，token"),
];
