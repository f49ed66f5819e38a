//! Workloads by name: what a kind of business asks of a server. `docs/workloads.md` has the
//! reasons. The guide's own numbers (guide.zh.md, 不同业务场景的参数建议) stand beside ours, since
//! its caps and rates are not always consistent.

use std::time::Duration;

use super::LengthLaw;

/// Lengths around one mean, as in the guide: ±10 %.
const GUIDE_SPREAD: f64 = 0.1;

/// A workload with a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedWorkload {
    /// Its name: `customer-service`, `guide:content` …
    pub name: &'static str,
    /// Its Chinese name.
    pub name_zh: &'static str,
    /// Law of the prompts' lengths.
    pub input: LengthLaw,
    /// Law of the answers' lengths.
    pub output: LengthLaw,
    /// Mean time from an answer to the user's next request; `None` where nobody waits and reads,
    /// or where the guide does not say.
    pub think: Option<Duration>,
    /// Objectives; `None` for the default stop rules.
    pub slo: Option<&'static str>,
    /// The guide's numbers for it.
    pub guide: Option<GuideNumbers>,
}

/// What the guide sets for a business, beside the lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuideNumbers {
    /// `--max-concurrency`, streams.
    pub max_concurrency: u32,
    /// `--request-rate`, per second.
    pub request_per_s: f64,
    /// `--num-prompts`.
    pub requests: u32,
}

impl NamedWorkload {
    /// The workload of this name, English or Chinese.
    pub fn find(name: &str) -> Option<Self> {
        ALL.into_iter()
            .find(|one| one.name == name || one.name_zh == name)
    }

    /// All of them.
    pub fn all() -> &'static [Self] {
        &ALL
    }
}

const fn lognormal(mean_tokens: u32, cv: f64) -> LengthLaw {
    LengthLaw::Lognormal { mean_tokens, cv }
}

const fn guide(
    (name, name_zh): (&'static str, &'static str),
    (input_tokens, output_tokens): (u32, u32),
    guide: GuideNumbers,
) -> NamedWorkload {
    NamedWorkload {
        name,
        name_zh,
        input: LengthLaw::Uniform {
            mean_tokens: input_tokens,
            spread_ratio: GUIDE_SPREAD,
        },
        output: LengthLaw::Uniform {
            mean_tokens: output_tokens,
            spread_ratio: GUIDE_SPREAD,
        },
        think: None,
        slo: None,
        guide: Some(guide),
    }
}

const ALL: [NamedWorkload; 9] = [
    NamedWorkload {
        name: "customer-service",
        name_zh: "客服",
        input: lognormal(300, 0.6),
        output: lognormal(120, 0.6),
        think: Some(Duration::from_secs(30)),
        slo: Some("ttft p95 <= 1s, tpot p95 <= 100ms, success >= 99%"),
        guide: None,
    },
    NamedWorkload {
        name: "content",
        name_zh: "内容",
        input: lognormal(500, 0.6),
        output: lognormal(800, 0.5),
        think: Some(Duration::from_secs(60)),
        slo: Some("ttft p95 <= 3s, tpot p95 <= 100ms, success >= 99%"),
        guide: None,
    },
    NamedWorkload {
        name: "code-assistant",
        name_zh: "代码",
        input: lognormal(1_500, 0.8),
        output: lognormal(200, 1.0),
        think: Some(Duration::from_secs(20)),
        slo: Some("ttft p95 <= 800ms, tpot p95 <= 50ms, success >= 99%"),
        guide: None,
    },
    NamedWorkload {
        name: "rag",
        name_zh: "知识库",
        input: lognormal(3_000, 0.3),
        output: lognormal(250, 0.5),
        think: Some(Duration::from_secs(45)),
        slo: Some("ttft p95 <= 2s, tpot p95 <= 100ms, success >= 99%"),
        guide: None,
    },
    NamedWorkload {
        name: "agent",
        name_zh: "智能体",
        input: LengthLaw::Bimodal {
            short_tokens: 2_000,
            long_tokens: 8_000,
            long_ratio: 0.3,
            cv: 0.3,
        },
        output: LengthLaw::Bimodal {
            short_tokens: 80,
            long_tokens: 600,
            long_ratio: 0.2,
            cv: 0.3,
        },
        think: Some(Duration::from_secs(3)),
        slo: Some("ttft p95 <= 3s, tpot p95 <= 50ms, success >= 99%"),
        guide: None,
    },
    NamedWorkload {
        name: "batch",
        name_zh: "批处理",
        input: lognormal(1_000, 0.5),
        output: lognormal(300, 0.5),
        think: None,
        slo: Some("e2e p95 <= 60s, success >= 99%"),
        guide: None,
    },
    guide(
        ("guide:customer-service", "guide:客服"),
        (256, 128),
        GuideNumbers {
            max_concurrency: 50,
            request_per_s: 20.0,
            requests: 1_000,
        },
    ),
    guide(
        ("guide:content", "guide:内容"),
        (512, 512),
        GuideNumbers {
            max_concurrency: 200,
            request_per_s: 100.0,
            requests: 2_000,
        },
    ),
    guide(
        ("guide:code-assistant", "guide:代码"),
        (1_024, 256),
        GuideNumbers {
            max_concurrency: 20,
            request_per_s: 10.0,
            requests: 500,
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::Slo;

    #[test]
    fn names_are_found_in_both_languages() {
        for one in NamedWorkload::all() {
            assert_eq!(NamedWorkload::find(one.name).as_ref(), Some(one));
            assert_eq!(NamedWorkload::find(one.name_zh).as_ref(), Some(one));
        }
        assert_eq!(NamedWorkload::find("客 服"), None);
    }

    #[test]
    fn objectives_are_read() {
        for text in NamedWorkload::all().iter().filter_map(|one| one.slo) {
            assert!(text.parse::<Slo>().is_ok(), "{text}");
        }
    }

    /// guide.zh.md, 不同业务场景的参数建议.
    #[test]
    fn the_guides_numbers_are_the_guides() {
        let table = [
            ("guide:客服", (256, 128, 50, 20.0, 1_000)),
            ("guide:内容", (512, 512, 200, 100.0, 2_000)),
            ("guide:代码", (1_024, 256, 20, 10.0, 500)),
        ];
        for (name, (input, output, cap, rate, requests)) in table {
            let one = NamedWorkload::find(name).unwrap();
            let numbers = GuideNumbers {
                max_concurrency: cap,
                request_per_s: rate,
                requests,
            };
            assert_eq!(
                (one.input.mean_tokens(), one.output.mean_tokens()),
                (input, output)
            );
            assert_eq!(one.guide, Some(numbers));
        }
    }
}
