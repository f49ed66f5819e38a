//! The ways out.

use std::path::PathBuf;

use thiserror::Error;

use super::Words;

/// What to do about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Hint {
    #[error(
        "raise the limit with `ulimit -n {files}` as root or LimitNOFILE= in the unit, or ask for \
         fewer streams"
    )]
    RaiseOpenFiles { files: u64 },
    #[error(
        "give more local addresses with --source-ip, more of the server's with --connect-to, or \
         widen net.ipv4.ip_local_port_range"
    )]
    MorePorts,
    #[error("ask for fewer streams, or spread them over more machines")]
    FewerStreams,
    #[error(
        "if it may be loaded so, say --yes; else stay at 64 with --max-concurrency, --concurrency, --rate or --max-rate"
    )]
    SayYes,
    #[error(
        "is the server running, and is the port right? `curl http://HOST:PORT/v1/models` must answer"
    )]
    IsItRunning,
    #[error(
        "--no-proxy HOST goes straight to the server; user and password of a proxy stand in its \
         address: --proxy http://USER:PASSWORD@HOST:PORT"
    )]
    AroundTheProxy,
    #[error("leave --http 2 away: HTTP/1.1 is the default")]
    LeaveHttp2,
    #[error(
        "is this an HTTP port? a server with TLS wants https://, one that speaks nothing but HTTP/2 \
         wants --http 2"
    )]
    IsItHttp,
    #[error("give a server that is slow to answer more time with --timeout")]
    MoreTime,
    #[error("check the spelling of the host name")]
    HostName,
    #[error("`ip address` lists those of this machine; `ip address add IP/32 dev lo` adds one")]
    LocalAddresses,
    #[error("give a --source-ip of that family too")]
    OtherFamily,
    #[error(
        "put the key into {variable}, or name its variable with --api-key-env{}",
        if *is_list { "; with --model no list of models is needed" } else { "" }
    )]
    ApiKey {
        variable: &'static str,
        /// Whether only the list of models was refused.
        is_list: bool,
    },
    #[error("give the address it leads to")]
    FollowRedirect,
    #[error(
        "give the API's address: the part before /v1, for example http://HOST:8000; if it is right \
         and only the list of models is missing, name the model with --model"
    )]
    ApiAddress,
    #[error("choose one of these with --model, or leave --model away")]
    ChooseModel,
    #[error("check the name given with --model, and that the server has that model")]
    CheckModel,
    #[error("name the model with --model")]
    NameModel,
    #[error("ask for less with --input-len and --output-len")]
    ShorterRequests,
    #[error(
        "raise the server's context (Ollama: OLLAMA_CONTEXT_LENGTH, or --endpoint ollama with \
         --extra-body.options.num_ctx N), or ask for less with --input-len"
    )]
    LongerContext,
    #[error("wait until it is ready, longer with --wait, or ask less of it")]
    WaitLonger,
    #[error("headers are not saved, since a key may be in them: give it again with --header")]
    HeaderAgain,
    #[error("give the address again, as it was")]
    AddressAgain,
    #[error("choose the API with --endpoint: completions, chat, ollama or anthropic")]
    ChooseEndpoint,
    #[error("add one, for example --slo 'ttft p95 <= 1s'")]
    AddObjective,
    #[error("for a rate with at most N in flight: --rate R --max-concurrency N")]
    RateWithCap,
    #[error("for N streams: --concurrency N")]
    Streams,
    #[error("for a rate: --preset realistic --rate R")]
    RealisticRate,
    #[error("give the number of users: --concurrency N --think-time 60s")]
    ThinkingUsers,
    #[error("for 20 requests per second: --rate 20; or see --preset")]
    SomeRate,
    /// A command line that works.
    #[error("{0}")]
    Command(String),
    #[error(
        "write all objectives of a tier in one --slo-tier: \
         '{name}: ttft p95 <= 1s, tpot p95 <= 50ms'"
    )]
    OneTierOption { name: String },
    #[error("give the objectives of --slo a name: --slo-tier 'default: ttft p95 <= 1s'")]
    NameObjectives,
    #[error("repeat with --slo, once for each tier")]
    RepeatEachTier,
    #[error("leave --length-spread away, or set it to 9% or more")]
    SpreadLengths,
    #[error(
        "for what a server carries give --from RUN, or --cap N and --request-time TIME; for what is \
         needed give --users N, --qps X or --requests-per-day N"
    )]
    WhatToPlan,
    #[error("give one with --cap N, or measure again with a longer --budget")]
    GiveCap,
    #[error("--from takes --slo, --min-success and --out")]
    WhatFromTakes,
    #[error("choose another folder with --out")]
    OtherFolder,
    #[error("choose another folder with --out, or go on with that run by --resume")]
    OtherFolderOrResume,
    #[error("--resume takes the folder that `Saved in` names")]
    FolderSavedIn,
    #[error("a run is a folder that `plimsoll find` or `plimsoll check` wrote, or its run.json")]
    FolderOfRun,
    #[error("begin a new run, without --no-requests")]
    KeepRequests,
    #[error("hold it again with `plimsoll check`")]
    CheckAgain,
    #[error("begin a new run; `find --from` and `plan --from` read the old one")]
    ReadOldFormat,
    #[error("`{}` was written anew", .0.display())]
    WrittenAnew(PathBuf),
    #[error("go on with the version that began it, or begin a new run")]
    SameVersion,
    #[error("a proxy is not saved, since a password may be in it: give it again with --proxy")]
    ProxyAgain,
    #[error("levels of two servers make no answer; begin a new run")]
    OneServer,
    #[error(
        "leave `{name}` away: a run goes on as it began; what may change is how the server is \
         reached, such as --connect-to and --proxy"
    )]
    LeaveAway { name: String },
    #[error("for all of it: --max-concurrency {last}")]
    RaiseMost { last: u32 },
    #[error("to go on give it more time: --resume RUN --budget +15m")]
    MoreBudget,
    /// In English and Chinese.
    #[error("{}", .0[0])]
    Instead([&'static str; 2]),
    #[error(
        "the option takes the variable's name, not the key: `export NAME=KEY`, then \
         --api-key-env NAME"
    )]
    ExportKey,
    #[error("write it in UTF-8; reach a file of another name by a link")]
    WriteUtf8,
    #[error("profiles: {0}")]
    Profiles(String),
}

impl Words for Hint {
    fn zh(&self) -> String {
        let text = match self {
            Self::RaiseOpenFiles { files } => {
                return format!(
                    "以 root 用 `ulimit -n {files}` 或在 systemd 单元里用 LimitNOFILE= 提高上限，或减少路数"
                );
            }
            Self::MorePorts => {
                "用 --source-ip 给出更多本机地址，用 --connect-to 给出服务的更多地址，\
                 或放宽 net.ipv4.ip_local_port_range"
            }
            Self::SayYes => "确认可以这样加压就加 --yes，否则把路数或速率限制在 64 以内",
            Self::FewerStreams => "减少路数，或分到更多机器上",
            Self::IsItRunning => {
                "服务是否在运行？端口对吗？`curl http://HOST:PORT/v1/models` 应当有回答"
            }
            Self::AroundTheProxy => {
                "--no-proxy HOST 直连服务；代理的用户名和密码写在地址里：\
                 --proxy http://USER:PASSWORD@HOST:PORT"
            }
            Self::LeaveHttp2 => "去掉 --http 2：默认用 HTTP/1.1",
            Self::IsItHttp => {
                "这是 HTTP 端口吗？用 TLS 的服务要写 https://，只支持 HTTP/2 的服务要加 --http 2"
            }
            Self::MoreTime => "回答慢的服务可用 --timeout 给更多时间",
            Self::HostName => "检查主机名的拼写",
            Self::LocalAddresses => {
                "`ip address` 列出本机地址；`ip address add IP/32 dev lo` 可添加一个"
            }
            Self::OtherFamily => "再给一个同类地址的 --source-ip",
            Self::ApiKey { variable, is_list } => return zh_key(variable, *is_list),
            Self::FollowRedirect => "改用它指向的地址",
            Self::ApiAddress => {
                "给出接口地址，即 /v1 之前的部分，如 http://HOST:8000；\
                 如果地址没错、只是没有模型列表，就用 --model 给出模型名"
            }
            Self::ChooseModel => "用 --model 选其中一个，或不给 --model",
            Self::CheckModel => "检查 --model 给出的名字，以及服务上有没有这个模型",
            Self::NameModel => "用 --model 给出模型名",
            Self::ShorterRequests => "用 --input-len 和 --output-len 减小长度",
            Self::LongerContext => {
                "增大服务的上下文（Ollama：OLLAMA_CONTEXT_LENGTH，\
                 或 --endpoint ollama 加 --extra-body.options.num_ctx N），或用 --input-len 减小长度"
            }
            Self::WaitLonger => "等它准备好（可用 --wait 等得更久），或减少对它的请求",
            Self::HeaderAgain => "头里可能有密钥，所以不保存：请用 --header 再给一次",
            Self::AddressAgain => "请再给一次原来的地址",
            Self::ChooseEndpoint => {
                "用 --endpoint 指定接口：completions、chat、ollama 或 anthropic"
            }
            Self::AddObjective => "再加一个目标，如 --slo 'ttft p95 <= 1s'",
            Self::RateWithCap => "按速率加压且在途不超过 N 个：--rate R --max-concurrency N",
            Self::Streams => "N 路并发：--concurrency N",
            Self::RealisticRate => "按速率加压：--preset realistic --rate R",
            Self::ThinkingUsers => "给出用户数：--concurrency N --think-time 60s",
            Self::SomeRate => "每秒 20 个请求：--rate 20；或参见 --preset",
            Self::Command(line) => line,
            Self::OneTierOption { name } => {
                return format!(
                    "一档的所有目标写在同一个 --slo-tier 里：\
                     '{name}: ttft p95 <= 1s, tpot p95 <= 50ms'"
                );
            }
            Self::NameObjectives => "给 --slo 的目标起个名字：--slo-tier 'default: ttft p95 <= 1s'",
            Self::RepeatEachTier => "改用 --slo，每一档各做一次",
            Self::SpreadLengths => "不给 --length-spread，或设为 9% 以上",
            Self::WhatToPlan => {
                "服务能承载多少：给出 --from RUN，或 --cap N 和 --request-time TIME；\
                 需要多少：给出 --users N、--qps X 或 --requests-per-day N"
            }
            Self::GiveCap => "用 --cap N 给出上限，或用更长的 --budget 重新测试",
            Self::WhatFromTakes => "--from 可配合 --slo、--min-success 和 --out",
            Self::OtherFolder => "用 --out 换一个目录",
            Self::OtherFolderOrResume => "用 --out 换一个目录，或用 --resume 接着做那次测试",
            Self::FolderSavedIn => "--resume 要给出“结果保存在”后面的目录",
            Self::FolderOfRun => {
                "要给出 `plimsoll find` 或 `plimsoll check` 写的目录，或其中的 run.json"
            }
            Self::KeepRequests => "重新测试，不要加 --no-requests",
            Self::CheckAgain => "用 `plimsoll check` 重新保持这个负载",
            Self::ReadOldFormat => "重新测试；旧结果可用 `find --from` 和 `plan --from` 读取",
            Self::WrittenAnew(path) => return format!("已重新写出 `{}`", path.display()),
            Self::SameVersion => "用开始它的版本接着做，或重新测试",
            Self::ProxyAgain => "代理里可能有密码，所以不保存：请用 --proxy 再给一次",
            Self::OneServer => "两个服务的档位合不成一个结论；请重新测试",
            Self::LeaveAway { name } => {
                return format!(
                    "去掉 `{name}`：测试只能照开始时的样子接着做；\
                     能改的是如何连接服务，如 --connect-to 和 --proxy"
                );
            }
            Self::RaiseMost { last } => return format!("要测完整个阶梯：--max-concurrency {last}"),
            Self::MoreBudget => "要接着做，就追加时间：--resume RUN --budget +15m",
            Self::Instead([_, zh]) => zh,
            Self::ExportKey => {
                "这个选项要的是变量名，不是密钥本身：先 `export NAME=KEY`，再用 --api-key-env NAME"
            }
            Self::WriteUtf8 => "请写成 UTF-8；文件名不是 UTF-8 的，可用链接指向它",
            Self::Profiles(names) => return format!("可选的型号：{names}"),
        };
        text.to_owned()
    }
}

/// Where the key goes, and what makes it needless.
fn zh_key(variable: &str, is_list: bool) -> String {
    let or_name = if is_list {
        "；给出 --model 就不需要模型列表"
    } else {
        ""
    };
    format!("把密钥放进环境变量 {variable}，或用 --api-key-env 指定变量名{or_name}")
}
