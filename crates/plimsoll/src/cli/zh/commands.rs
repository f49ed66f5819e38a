//! The help in Chinese: arguments of one command alone. The same name may mean another thing in each.

use super::Texts;

/// Of `find` alone.
pub(super) const FIND: Texts = &[
    (
        "details",
        "报告另附测试条件、吞吐与拐点、压测客户端、术语含义",
    ),
    (
        "resume",
        "接着做这个目录里的测试：被中断或被杀掉的；已做完的要同时给 --budget",
    ),
    ("repeat", "整个搜索依次做这么多遍，并比较各遍的结论"),
    (
        "from",
        "用另一组 --slo 重新评判这个目录里的测试结果，不发送任何请求",
    ),
    (
        "slo_tier",
        "一类用户的服务目标，\
         如 'gold: ttft p95 <= 300ms, tpot p95 <= 30ms'；\
         可重复给出，一次测试分别得出各档的结论。不能与 --slo 同时使用",
    ),
    (
        "min_growth",
        "并发每翻一倍吞吐至少增长的比例；未给 --slo 时低于它就停止加压，给了则只作提示",
    ),
    ("ignore_resources", "KV 缓存已满并发生抢占时也继续加压"),
    (
        "preset",
        "指南的测试目标：limit（找系统极限）按其档位加压；\
         quick（快速验证）、realistic（真实场景）、capacity（容量规划）、soak（稳定性）只保持一档负载，\
         用 `plimsoll check`。另外给出的选项优先",
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
    ("level_time", "每一档最长保持多久；不给则按请求耗时决定"),
    (
        "budget",
        "整个测试的时间预算；与 --resume 同用时也可写再给多少，如 +15m",
    ),
    ("burst", "新增的并发流同时开始（指南的做法），不错开"),
    ("confidence", "判定的双侧置信度，80% 到 99.9%"),
    ("headroom", "规划的平均并发最多占网关上限的比例"),
];

/// Of `check` alone.
pub(super) const CHECK: Texts = &[
    (
        "preset",
        "指南的测试目标：quick（快速验证），10 路共 50 个请求；\
         realistic（真实场景），以 --rate 到达 1000 个请求；\
         capacity（容量规划），以 --rate 到达 2000 个，\
         在途不超过 --concurrency × 1.5；soak（稳定性），\
         以 --rate 和 --concurrency 的 0.8 倍保持一小时。\
         另外给出的选项优先",
    ),
    (
        "rate",
        "每秒到达的请求数；无论之前的请求是否完成，都按时发出",
    ),
    (
        "concurrency",
        "不给速率，而给并发路数：每路收完应答后立即发下一个请求。\
         配合 --preset capacity 时为目标并发，soak 时为测得的最优并发",
    ),
    (
        "cap",
        "配合 --rate：同时在途的请求不超过这个数；超出的在客户端排队，等待时间计入其时延",
    ),
    (
        "burstiness",
        "按速率加压时：请求到达的均匀程度；1 为泊松到达，越大越均匀，越小越扎堆",
    ),
    ("hold", "负载就绪后保持多久；不给则为 10m，或按预设"),
    ("fail_fast", "一旦确定有目标超标就结束"),
];

/// Of `plan` alone.
pub(super) const PLAN: Texts = &[
    (
        "from",
        "`find` 的结果目录或其中的 run.json：取其上限、请求耗时和 token 数",
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
    ("active_share", "高峰时活跃用户占全部用户的比例"),
    ("peak_factor", "高峰时的每秒请求数是全天平均的多少倍"),
    ("gpu_price", "一块 GPU 每小时的价格，币种不限"),
    ("gpus", "一台服务的 GPU 数"),
    (
        "headroom",
        "规划的平均并发最多占网关上限的比例；不给则为 75%，或取自结果",
    ),
    ("json", "以 JSON 打印结果"),
];

/// Of `sim` alone.
pub(super) const SIM: Texts = &[
    ("seed", "所有随机数的种子"),
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
    ("explain", "打印该型号各参数的推导，然后退出"),
];

/// Of `selftest` alone.
pub(super) const SELFTEST: Texts = &[
    ("streams", "依次测试的并发路数，由小到大"),
    ("itl", "两个 token 的间隔，如 50ms；不给则由路数决定"),
    ("output_len", "每个请求的输出长度，token"),
    ("no_rates", "只测并发：不测每秒请求数和定时发送"),
    ("json", "以 JSON 打印结果"),
];

/// Of `report` alone.
pub(super) const REPORT: Texts = &[
    ("run", "测试结果：其目录，或其中的 run.json"),
    (
        "format",
        "报告的形式：text 供终端阅读，md 为 Markdown，csv 只含各档数据，json 为测试本身",
    ),
    (
        "details",
        "与 text 同用：另附测试条件、吞吐与拐点、压测客户端、术语含义",
    ),
];

/// Of `completions` alone.
pub(super) const COMPLETIONS: Texts = &[("shell", "读取脚本的 shell")];

/// Of `man` alone.
pub(super) const MAN: Texts = &[("page", "要说明的命令；不给则说明整个程序")];
