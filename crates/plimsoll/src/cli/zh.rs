//! The help in Chinese: one table, by command and argument. A test sees that none is missing.

use clap::{Arg, ArgAction, Command};

const ABOUT: [(&str, &str); 9] = [
    (
        "plimsoll",
        "在给定的服务目标内，测出一个大模型服务能承载多少路并发。",
    ),
    ("find", "测出服务能承载多少路并发"),
    ("check", "保持一个负载，看服务能否扛住、需要多少路并发"),
    ("plan", "在并发、用户数、每天请求数、台数和成本之间换算"),
    ("sim", "把内置引擎作为 OpenAI 兼容服务运行"),
    (
        "selftest",
        "测出本机能驱动多大负载，以及测得的数值有多大误差",
    ),
    ("bench", "替代 `vllm bench serve`：`plimsoll bench serve …`"),
    ("completions", "打印 shell 的补全脚本，补全命令和选项"),
    ("man", "打印手册页"),
];

const ARGUMENTS: [(&str, &str); 108] = [
    ("shell", "读取脚本的 shell"),
    ("page", "要说明的命令；不给则说明整个程序"),
    ("url", "服务地址：host:port，可带也可不带 http:// 和 /v1"),
    ("sim", "不测真实服务，改用内置引擎"),
    ("resume", "接着做这个目录里被中断或被杀掉的测试"),
    ("repeat", "整个搜索依次做这么多遍，并比较各遍的结论"),
    (
        "from",
        "用另一组 --slo 重新评判这个目录里的测试结果，不发送任何请求",
    ),
    ("model", "模型名；不给则用服务列出的第一个"),
    (
        "endpoint",
        "使用的接口；auto 表示有 completions 就用它，否则用 chat",
    ),
    ("api_key_env", "存放 API 密钥的环境变量名"),
    (
        "http",
        "HTTP 版本：1.1，每个请求占一条连接；2，多个请求共用一条连接，明文时直接使用，TLS 时须服务端同意；\
         auto，TLS 时由服务端选择，否则用 1.1",
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
        "连接到这个地址，而不是 URL 里的主机；Host 头和 TLS 校验的名字仍按 URL；可重复给出，轮流使用",
    ),
    ("source_ip", "从这个本机地址发起连接；可重复给出，轮流使用"),
    (
        "proxy",
        "代理，写作 http://、socks5:// 或 socks5h://[用户:密码@]主机:端口；'' 表示不用代理。\
         不给则按环境变量 http_proxy、https_proxy、all_proxy，但本机上的服务始终直连",
    ),
    (
        "no_proxy",
        "不走代理的主机，如 .example.com,10.0.0.0/8 或 '*'；不给则按环境变量 NO_PROXY",
    ),
    (
        "slo",
        "服务目标，如 'ttft p95 <= 1s' 或 'success >= 99%'；可重复给出",
    ),
    (
        "slo_tier",
        "一类用户的服务目标，如 'gold: ttft p95 <= 300ms, tpot p95 <= 30ms'；可重复给出，一次测试分别得出各档的结论。\
         不能与 --slo 同时使用",
    ),
    ("min_success", "未给 --slo 时：成功率下限，百分比"),
    ("max_ttft", "未给 --slo 时：平均首字时延上限，如 1s、800ms"),
    (
        "min_growth",
        "并发每翻一倍吞吐量至少增长的百分比；未给 --slo 时低于它就停止加压，给了则只作提示",
    ),
    ("ignore_resources", "KV 缓存已满并发生抢占时也继续加压"),
    (
        "preset",
        "指南的测试目标：limit（找系统极限）按其档位加压；quick（快速验证）、realistic（真实场景）、\
         capacity（容量规划）、soak（稳定性）只保持一档负载，用 `plimsoll check`。另外给出的选项优先",
    ),
    (
        "check_preset",
        "指南的测试目标：quick（快速验证），10 路共 50 个请求；realistic（真实场景），以 --rate 到达 1000 个请求；\
         capacity（容量规划），以 --rate 到达 2000 个，在途不超过 --concurrency × 1.5；soak（稳定性），\
         以 --rate 和 --concurrency 的 0.8 倍保持一小时。另外给出的选项优先",
    ),
    (
        "ladder",
        "依次尝试的并发：doubling（翻倍）、guide（指南的档位）或如 1,2,5,10；不给则翻倍",
    ),
    (
        "by",
        "搜索什么：并发路数（streams），或每秒到达的请求数（rate）",
    ),
    ("max_rate", "按速率搜索时：每秒到达数不超过这个值"),
    (
        "burstiness",
        "按速率加压时：请求到达的均匀程度；1 为泊松到达，越大越均匀，越小越扎堆",
    ),
    (
        "confirm",
        "最后在网关上限处保持几分钟；默认就做，除非给出 --no-confirm",
    ),
    ("no_confirm", "置信区间够窄就结束，不再保持"),
    ("start", "加压的第一档，路；不给则为 2"),
    ("max_concurrency", "并发不超过这个数，路；不给则为 1024"),
    (
        "workload",
        "按业务选定长度分布和目标：customer-service（客服）、content（内容）、code-assistant（代码）、\
         rag（知识库）、agent（智能体）、batch（批处理）；或用指南自己的数值：guide:客服、guide:内容、\
         guide:代码。另外给出的选项优先",
    ),
    ("input_len", "平均输入长度，token；不给则为 512"),
    ("output_len", "平均输出长度，token；不给则为 128"),
    (
        "length_spread",
        "长度围绕平均值均匀浮动的幅度，百分比；不给则为 10，或按业务",
    ),
    (
        "stream_think_time",
        "每一路收到回答后平均停顿多久再发下一个请求，如 60s；此时路数即用户数",
    ),
    (
        "fixed_think_time",
        "--think-time 的每次停顿都一样长；不给则像互不相干的用户那样长短不一",
    ),
    (
        "rate",
        "每秒到达的请求数；无论之前的请求是否完成，都按时发出",
    ),
    (
        "concurrency",
        "不给速率，而给并发路数：每路收完应答后立即发下一个请求。配合 --preset capacity 时为目标并发，\
         soak 时为测得的最优并发",
    ),
    (
        "in_flight_cap",
        "配合 --rate：同时在途的请求不超过这个数；超出的在客户端排队，等待时间计入其时延",
    ),
    ("hold", "负载就绪后保持多久；不给则为 10m，或按预设"),
    ("fail_fast", "一旦确定有目标超标就结束"),
    (
        "check_out",
        "存放 check.json 和 requests.jsonl 的目录；不给则不保存",
    ),
    ("check_json", "标准输出打印 check.json，而不是报告"),
    ("level_time", "每一档最长保持多久；不给则按请求时间决定"),
    ("budget", "整个测试的时间预算"),
    ("timeout", "单个请求的时限"),
    ("burst", "新增的并发流同时开始（指南的做法），不错开"),
    ("confidence", "判定的双侧置信度，0.8 到 0.999"),
    ("headroom", "规划的平均并发最多占网关上限的比例"),
    ("seed", "所有随机数的种子"),
    ("dry_run", "只显示将要做什么，不发送任何请求"),
    ("out", "结果目录；不给则在 plimsoll-runs/ 下新建"),
    ("lang", "显示语言"),
    ("streams", "依次测试的并发路数，由小到大"),
    ("itl", "两个 token 的间隔，如 50ms；不给则由路数决定"),
    ("answer_tokens", "每个请求的输出长度，token"),
    ("result_json", "以 JSON 打印结果"),
    (
        "no_requests",
        "不写 requests.jsonl：无论测多久，结果目录都很小",
    ),
    ("no_keep_alive", "每个请求新建一个连接"),
    ("no_rates", "只测并发：不测每秒请求数和定时发送"),
    ("json", "标准输出打印 run.json，而不是报告"),
    ("quiet", "不显示进度，只给报告"),
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
    ("listen", "监听地址"),
    ("served_model_name", "对外的模型名"),
    ("api_key", "要求客户端提供这个 API 密钥"),
    ("workers", "处理连接的线程数"),
    (
        "faults",
        "故意犯的错，JSON：'{\"error_share\":0.1,\"comments\":true}'",
    ),
    (
        "metronome",
        "不运行引擎，按固定时刻表应答：首字时延与 token 间隔，如 100ms,50ms 或 0,0",
    ),
    (
        "answer_len",
        "配合 --metronome：请求未指定时的输出长度，token（默认：32）",
    ),
    (
        "tls_cert",
        "配合 --metronome：以 TLS 服务所用的证书链（PEM）",
    ),
    ("tls_key", "配合 --metronome：该证书的私钥（PEM）"),
    (
        "tls_client_ca",
        "配合 --metronome：要求客户端出示证书，其 CA 证书（PEM）",
    ),
    (
        "from_run",
        "`find` 的结果目录或其中的 run.json：取其上限、请求时间和 token 数",
    ),
    (
        "cap",
        "一台服务的网关上限，路：即 `find` 给出的置信区间下端",
    ),
    ("request_time", "平均并发下一个请求的平均时间，如 7.9s"),
    (
        "tokens_per_request",
        "一个请求的 token 数：输入+输出，如 512+128，或只给总数",
    ),
    (
        "users",
        "要服务的用户数；给了 --active-share 则高峰时只有这一比例活跃",
    ),
    ("qps", "高峰时每秒要服务的请求数"),
    ("requests_per_day", "每天要服务的请求数"),
    (
        "think_time",
        "用户收到回答到发出下一个请求的平均时间，如 60s；没有则为 0",
    ),
    ("active_share", "高峰时活跃用户占全部用户的比例，百分比"),
    ("peak_factor", "高峰时的每秒请求数是全天平均的多少倍"),
    ("gpu_price", "一块 GPU 每小时的价格，币种不限"),
    ("gpus", "一台服务的 GPU 数"),
    (
        "plan_headroom",
        "规划的平均并发最多占网关上限的比例；不给则为 0.75，或取自结果",
    ),
    ("plan_json", "以 JSON 打印结果"),
    ("explain", "打印该型号各参数的推导，然后退出"),
    ("help", "显示帮助"),
    ("version", "显示版本"),
    ("command", "命令"),
    ("subcommand", "命令"),
];

fn look_up<'a>(table: &[(&str, &'a str)], key: &str) -> Option<&'a str> {
    table
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, text)| *text)
}

/// Puts the Chinese texts into a command and its subcommands.
pub(super) fn translate(command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    let mut command = translate_one(command);
    for name in names {
        command = command.mut_subcommand(name, translate_one);
    }
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version);
    command
        .disable_help_subcommand(true)
        .subcommand_help_heading("命令")
        .disable_version_flag(true)
        .arg(translate_argument(version))
}

fn translate_one(mut command: Command) -> Command {
    if let Some(about) = look_up(&ABOUT, command.get_name()) {
        command = command.about(about);
    }
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help);
    command
        .disable_help_flag(true)
        .arg(help)
        .mut_args(translate_argument)
        .help_template("{about}\n\n用法：{usage}\n\n{all-args}")
}

fn translate_argument(argument: Arg) -> Arg {
    let heading = match argument.get_help_heading() {
        Some("Connection") => "连接",
        Some(_) => "内置引擎",
        None if argument.is_positional() => "参数",
        None => "选项",
    };
    let text = look_up(&ARGUMENTS, argument.get_id().as_str()).unwrap_or_default();
    let argument = argument.help_heading(heading);
    if !argument.get_action().takes_values() {
        return argument.help(text);
    }
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let text = format!(
        "{text}{}{}",
        in_brackets("可选", &choices),
        in_brackets("默认", &defaults)
    );
    argument
        .help(text)
        .hide_default_value(true)
        .hide_possible_values(true)
}

/// `（可选：a、b）`, or nothing.
fn in_brackets(what: &str, values: &[String]) -> String {
    if values.is_empty() {
        String::new()
    } else {
        format!("（{what}：{}）", values.join("、"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_argument_lacks_its_chinese() {
        for command in super::super::Cli::command().get_subcommands() {
            assert!(
                look_up(&ABOUT, command.get_name()).is_some(),
                "{}",
                command.get_name()
            );
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(look_up(&ARGUMENTS, id).is_some(), "{id}");
            }
        }
    }
}
