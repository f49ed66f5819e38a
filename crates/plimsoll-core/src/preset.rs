//! The guide's five goals of a test, with its parameters (guide.zh.md, 测试场景与参数配置对照表).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::search::Ladder;
use crate::workload::GuideNumbers;

/// Quick check: streams and requests.
const QUICK: (u32, u64) = (10, 50);
/// Requests of a realistic test, and of a test of the capacity, at least.
const REALISTIC_REQUESTS: u64 = 1_000;
const CAPACITY_REQUESTS: u64 = 2_000;
/// Standard deviations of a number of arrivals by which a window at a rate is longer.
const DEVIATIONS: f64 = 3.0;
/// Room for growth beyond the concurrency in view.
const GROWTH: f64 = 1.5;
/// A soak runs at this share of the best.
const SOAK_SHARE: f64 = 0.8;
/// The guide says "large number" and "long". Within an hour caches fill, memory leaks and clocks
/// throttle.
const SOAK_TIME: Duration = Duration::from_secs(3_600);

/// A goal of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// 快速验证: does it work at all?
    Quick,
    /// 找系统极限: where does it break?
    Limit,
    /// 真实场景模拟: does it carry the rate expected?
    Realistic,
    /// 容量规划: does it carry the target, with room to grow?
    Capacity,
    /// 稳定性验证: does it carry most of its best for long?
    Soak,
}

/// What the user has in view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InView {
    /// Concurrency: the target, or for a soak the best that was found; streams.
    pub streams: Option<u32>,
    /// Requests per second: expected, or for a soak those at the best.
    pub request_per_s: Option<f64>,
}

/// What a preset asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// A search up this ladder.
    Search(Ladder),
    /// One load, held.
    Hold(HeldLoad),
}

/// One load, held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldLoad {
    /// Streams, or with a rate the most in flight; `None` for no limit.
    pub streams: Option<u32>,
    /// Arrivals per second; `None` for streams that send as soon as they are answered.
    pub request_per_s: Option<f64>,
    /// Held for this many requests, at least …
    pub least_requests: u64,
    /// … and for this long.
    pub least_time: Duration,
}

/// There is no preset of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a preset is one of quick, limit, realistic, capacity, soak")]
pub struct UnknownPreset;

/// What a preset lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PresetLack {
    /// The concurrency in view.
    #[error("it needs a concurrency: the target, or for soak the best that was found")]
    Streams,
    /// The rate in view.
    #[error("it needs a request rate: that expected, or for soak that of the best load")]
    Rate,
}

impl Preset {
    /// What it asks for.
    ///
    /// # Errors
    /// It needs a concurrency or a rate that is not in view.
    pub fn goal(self, view: InView) -> Result<Goal, PresetLack> {
        let streams = view.streams.ok_or(PresetLack::Streams);
        let rate = view.request_per_s.ok_or(PresetLack::Rate);
        let hold = match self {
            Self::Limit => return Ok(Goal::Search(Ladder::guide())),
            Self::Quick => HeldLoad {
                streams: Some(view.streams.unwrap_or(QUICK.0)),
                request_per_s: None,
                least_requests: QUICK.1,
                least_time: Duration::ZERO,
            },
            Self::Realistic => HeldLoad {
                streams: view.streams,
                request_per_s: Some(rate?),
                least_requests: REALISTIC_REQUESTS,
                least_time: Duration::ZERO,
            },
            Self::Capacity => HeldLoad {
                streams: Some((f64::from(streams?) * GROWTH).ceil() as u32),
                request_per_s: Some(rate?),
                least_requests: CAPACITY_REQUESTS,
                least_time: Duration::ZERO,
            },
            Self::Soak => HeldLoad {
                streams: Some(((f64::from(streams?) * SOAK_SHARE).floor() as u32).max(1)),
                request_per_s: Some(rate? * SOAK_SHARE),
                least_requests: CAPACITY_REQUESTS,
                least_time: SOAK_TIME,
            },
        };
        Ok(Goal::Hold(hold))
    }
}

impl Preset {
    /// Its name in the guide.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Quick => "快速验证",
            Self::Limit => "找系统极限",
            Self::Realistic => "真实场景模拟",
            Self::Capacity => "容量规划",
            Self::Soak => "稳定性验证",
        }
    }
}

impl HeldLoad {
    /// How long it is held; `None` where its streams decide, who send as many as they are answered.
    pub fn time(&self) -> Option<Duration> {
        let Some(request_per_s) = self.request_per_s else {
            return (self.least_requests == 0).then_some(self.least_time);
        };
        // Arrivals vary by the root of their number: so many come all the same.
        let requests = self.least_requests as f64;
        let seconds = (requests + DEVIATIONS * requests.sqrt()) / request_per_s;
        Some(self.least_time.max(Duration::from_secs_f64(seconds)))
    }
}

impl From<GuideNumbers> for HeldLoad {
    fn from(numbers: GuideNumbers) -> Self {
        Self {
            streams: Some(numbers.max_concurrency),
            request_per_s: Some(numbers.request_per_s),
            least_requests: u64::from(numbers.requests),
            least_time: Duration::ZERO,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Limit => "limit",
            Self::Realistic => "realistic",
            Self::Capacity => "capacity",
            Self::Soak => "soak",
        })
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        [
            Self::Quick,
            Self::Limit,
            Self::Realistic,
            Self::Capacity,
            Self::Soak,
        ]
        .into_iter()
        .find(|one| one.to_string() == text)
        .ok_or(UnknownPreset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::NamedWorkload;

    const VIEW: InView = InView {
        streams: Some(40),
        request_per_s: Some(20.0),
    };

    fn hold(preset: Preset, view: InView) -> HeldLoad {
        match preset.goal(view) {
            Ok(Goal::Hold(hold)) => hold,
            other => panic!("{other:?}"),
        }
    }

    /// The rows of the guide's table, for 40 streams and 20 requests a second in view.
    #[test]
    fn the_guides_table_is_met() {
        let table = [
            (Preset::Quick, InView::default(), Some(10), None, 50),
            (Preset::Realistic, VIEW, Some(40), Some(20.0), 1_000),
            (Preset::Capacity, VIEW, Some(60), Some(20.0), 2_000),
            (Preset::Soak, VIEW, Some(32), Some(16.0), 2_000),
        ];
        for (preset, view, streams, request_per_s, least_requests) in table {
            let found = hold(preset, view);
            assert_eq!(
                (found.streams, found.request_per_s, found.least_requests),
                (streams, request_per_s, least_requests),
                "{preset}"
            );
        }
        let Ok(Goal::Search(ladder)) = Preset::Limit.goal(InView::default()) else {
            panic!("a search");
        };
        assert_eq!(ladder.rungs(1, 50), [1, 2, 5, 10, 20, 50]);
        assert!(hold(Preset::Soak, VIEW).least_time >= Duration::from_secs(3_600));
    }

    #[test]
    fn what_is_not_in_view_is_asked_for() {
        let only_rate = InView {
            streams: None,
            ..VIEW
        };
        assert_eq!(
            Preset::Realistic.goal(InView::default()),
            Err(PresetLack::Rate)
        );
        for preset in [Preset::Capacity, Preset::Soak] {
            assert_eq!(preset.goal(only_rate), Err(PresetLack::Streams));
        }
        assert_eq!("fast".parse::<Preset>(), Err(UnknownPreset));
        assert_eq!("soak".parse(), Ok(Preset::Soak));
    }

    /// 2 000 at 20 a second take 100 s, and 3 · √2000 / 20 = 6.7 s more, that as many come.
    #[test]
    fn requests_at_a_rate_are_a_time() {
        let seconds = |one: HeldLoad| one.time().map(|time| time.as_secs_f64());
        assert!((seconds(hold(Preset::Capacity, VIEW)).unwrap() - 106.7).abs() < 0.01);
        assert_eq!(seconds(hold(Preset::Soak, VIEW)), Some(3_600.0));
        assert_eq!(seconds(hold(Preset::Quick, VIEW)), None);
        let guide = NamedWorkload::find("guide:客服").unwrap().guide.unwrap();
        let guide = HeldLoad::from(guide);
        assert_eq!((guide.streams, guide.request_per_s), (Some(50), Some(20.0)));
        assert!((seconds(guide).unwrap() - 54.74).abs() < 0.01);
    }
}
