//! Why a level says what it says, in words.

use plimsoll_core::level::{Reason, Shortfall};

use super::{objective, objective_name};
use crate::lang::Lang;
use crate::number::{duration, figure};

/// Why a level fails, is not decided or is void, as the rest of a sentence.
pub(crate) fn reason(reason: &Reason, lang: Lang) -> String {
    match lang {
        Lang::En => en(reason),
        Lang::Zh => zh(reason),
    }
}

fn en(reason: &Reason) -> String {
    match reason {
        Reason::Objective { objective: one } => objective(one, Lang::En),
        Reason::Grows => "unstable: the number of requests in flight grows".to_owned(),
        Reason::NoRequestEnded => "no request ended within the window".to_owned(),
        Reason::NotScreened => "it ended before it could be screened".to_owned(),
        Reason::MetricAbsent {
            objective: one,
            absent,
            of,
        } => {
            let one = objective(one, Lang::En);
            format!("`{one}` does not exist for {absent} of {of} requests")
        }
        Reason::Unanswered {
            requests,
            of,
            longest_s,
        } => unanswered((*requests, *of), *longest_s, Lang::En),
        Reason::Quiet { since_s } => {
            let since = duration(*since_s, Lang::En);
            format!("nothing has come from the server since {since} into the run")
        }
        Reason::InDoubt {
            objective: one,
            best,
            worst,
        } => {
            let (name, one) = (objective_name(one, Lang::En), objective(one, Lang::En));
            let between = between(&name, *best, *worst, Lang::En);
            format!("the client was too late to tell whether `{one}` is met{between}")
        }
        Reason::Undelivered { shortfall: by } => shortfall(by, Lang::En),
    }
}

fn zh(reason: &Reason) -> String {
    match reason {
        Reason::Objective { objective: one } => objective(one, Lang::Zh),
        Reason::Grows => "不稳定：在途请求数持续增长".to_owned(),
        Reason::NoRequestEnded => "统计窗口内没有请求结束".to_owned(),
        Reason::NotScreened => "未及初筛就结束".to_owned(),
        Reason::MetricAbsent {
            objective: one,
            absent,
            of,
        } => {
            let one = objective(one, Lang::Zh);
            format!("{of} 个请求中有 {absent} 个算不出 {one}")
        }
        Reason::Unanswered {
            requests,
            of,
            longest_s,
        } => unanswered((*requests, *of), *longest_s, Lang::Zh),
        Reason::Quiet { since_s } => {
            let since = duration(*since_s, Lang::Zh);
            format!("运行到 {since}之后，服务端再无任何响应")
        }
        Reason::InDoubt {
            objective: one,
            best,
            worst,
        } => {
            let (name, one) = (objective_name(one, Lang::Zh), objective(one, Lang::Zh));
            let between = between(&name, *best, *worst, Lang::Zh);
            format!("客户端读取太晚，无法断定 {one} 是否达到{between}")
        }
        Reason::Undelivered { shortfall: by } => shortfall(by, Lang::Zh),
    }
}

/// Requests that hang: `k of n requests have had no answer for x s`.
pub(crate) fn unanswered((requests, of): (usize, usize), longest_s: f64, lang: Lang) -> String {
    let longest = duration(longest_s, lang);
    let have = if requests == 1 { "has" } else { "have" };
    lang.pick(
        format!("{requests} of {of} requests {have} had no answer for {longest}"),
        format!("{of} 个请求中有 {requests} 个一直没有应答，最久的已等了 {longest}"),
    )
}

/// What a statistic comes to at both ends of the stamps, where both have a value.
fn between(one: &str, best: Option<f64>, worst: Option<f64>, lang: Lang) -> String {
    let (Some(best), Some(worst)) = (best.map(figure), worst.map(figure)) else {
        return String::new();
    };
    lang.pick(
        format!(" ({one} lies between {best} and {worst})"),
        format!("（{one} 在 {best} 到 {worst} 之间）"),
    )
}

/// By what a load fell short of what was asked, as the rest of a sentence.
pub fn shortfall(by: &Shortfall, lang: Lang) -> String {
    match lang {
        Lang::En => shortfall_en(by),
        Lang::Zh => shortfall_zh(by),
    }
}

fn shortfall_en(by: &Shortfall) -> String {
    match by {
        Shortfall::SendLag { p99_ms, bound_ms } => {
            format!("send lag p99 {p99_ms:.1} ms is over {bound_ms:.1} ms")
        }
        Shortfall::LoopLag { mean_ms, bound_ms } => format!(
            "the client's own loop is {mean_ms:.1} ms late on the average, over {bound_ms:.1} ms"
        ),
        Shortfall::SharedStamps {
            late_ratio,
            bound_ms,
        } => {
            let percent = late_ratio * 1e2;
            format!(
                "{percent:.1} % of the first tokens may be stamped more than {bound_ms:.1} ms late"
            )
        }
        Shortfall::Paused { longest_s } => {
            format!("the client stood still for {longest_s:.1} s")
        }
        Shortfall::BusyWorker { cpu_ratio } => {
            format!("a worker used {:.0} % of its core", cpu_ratio * 1e2)
        }
        Shortfall::MissingStreams { in_flight, of } => {
            format!("{in_flight:.1} of {of} streams in flight")
        }
        Shortfall::SlowToAccept {
            in_flight,
            of,
            connecting,
        } => format!(
            "{in_flight:.1} of {of} streams in flight, {connecting:.1} waited for a connection"
        ),
        Shortfall::MissingUsers { there, of } => {
            format!("{there:.1} of {of} users in flight or thinking")
        }
        Shortfall::HeldArrivals { mean_ms, bound_ms } => {
            format!("arrivals waited {mean_ms:.1} ms for the client itself, over {bound_ms:.1} ms")
        }
    }
}

fn shortfall_zh(by: &Shortfall) -> String {
    match by {
        Shortfall::SendLag { p99_ms, bound_ms } => {
            format!("发送滞后 p99 为 {p99_ms:.1} ms，超过允许的 {bound_ms:.1} ms")
        }
        Shortfall::LoopLag { mean_ms, bound_ms } => {
            format!("客户端自身循环平均滞后 {mean_ms:.1} ms，超过允许的 {bound_ms:.1} ms")
        }
        Shortfall::SharedStamps {
            late_ratio,
            bound_ms,
        } => {
            let percent = late_ratio * 1e2;
            format!("{percent:.1} % 的首字时间戳可能偏晚 {bound_ms:.1} ms 以上")
        }
        Shortfall::Paused { longest_s } => {
            format!("客户端停顿了 {longest_s:.1} 秒")
        }
        Shortfall::BusyWorker { cpu_ratio } => {
            format!("有一个工作线程占用了所在核的 {:.0} %", cpu_ratio * 1e2)
        }
        Shortfall::MissingStreams { in_flight, of } => {
            format!("要求 {of} 路，平均在途只有 {in_flight:.1} 路")
        }
        Shortfall::SlowToAccept {
            in_flight,
            of,
            connecting,
        } => format!(
            "要求 {of} 路，平均在途只有 {in_flight:.1} 路，另有 {connecting:.1} 路在等待建立连接"
        ),
        Shortfall::MissingUsers { there, of } => {
            format!("要求 {of} 名用户，在途或思考中的只有 {there:.1} 名")
        }
        Shortfall::HeldArrivals { mean_ms, bound_ms } => {
            format!("到达的请求平均在客户端滞留 {mean_ms:.1} ms，超过允许的 {bound_ms:.1} ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::slo::Objective;

    use super::*;

    /// Each reason once; a new one is found by the compiler in [`en`] and [`zh`].
    fn all() -> Vec<Reason> {
        let tpot: Objective = "tpot p95 <= 50ms".parse().unwrap();
        let (mean_ms, bound_ms) = (7.24, 5.0);
        let shortfalls = [
            Shortfall::SendLag {
                p99_ms: 8.1,
                bound_ms,
            },
            Shortfall::LoopLag { mean_ms, bound_ms },
            Shortfall::SharedStamps {
                late_ratio: 0.031,
                bound_ms,
            },
            Shortfall::Paused { longest_s: 1.5 },
            Shortfall::BusyWorker { cpu_ratio: 0.984 },
            Shortfall::MissingStreams {
                in_flight: 61.24,
                of: 64,
            },
            Shortfall::SlowToAccept {
                in_flight: 12.0,
                of: 64,
                connecting: 51.5,
            },
            Shortfall::MissingUsers {
                there: 50.3,
                of: 100,
            },
            Shortfall::HeldArrivals { mean_ms, bound_ms },
        ];
        let reasons = [
            tpot.into(),
            Reason::Grows,
            Reason::NoRequestEnded,
            Reason::NotScreened,
            Reason::MetricAbsent {
                objective: tpot,
                absent: 30,
                of: 80,
            },
            Reason::Unanswered {
                requests: 8,
                of: 96,
                longest_s: 14.2,
            },
            Reason::Quiet { since_s: 17.3 },
            Reason::InDoubt {
                objective: tpot,
                best: Some(48.2),
                worst: Some(51.34),
            },
        ];
        let undelivered = shortfalls.map(Reason::from);
        reasons.into_iter().chain(undelivered).collect()
    }

    #[test]
    fn every_reason() {
        let texts: Vec<String> = all()
            .iter()
            .flat_map(|one| [reason(one, Lang::En), reason(one, Lang::Zh)])
            .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
