//! How metrics and statistics are called, in both languages.

use super::Metric;

/// Names of the mean.
pub(super) const MEAN: [&str; 7] = ["mean", "avg", "average", "均值", "平均", "平均值", "平均数"];
/// Names of the middle.
pub(super) const MEDIAN: [&str; 3] = ["median", "中位数", "中值"];
/// Units of a pace.
pub(super) const PACES: [&str; 9] = [
    "",
    "tok/s",
    "token/s",
    "tokens/s",
    "t/s",
    "tok/秒",
    "token/秒",
    "词元/秒",
    "字/秒",
];

/// Names of metrics; the first of each is the one in errors. Spaces in what is typed do not count.
pub(super) const METRICS: [(&str, Metric); 42] = [
    ("ttft", Metric::Ttft),
    ("tpot", Metric::Tpot),
    ("itl", Metric::Itl),
    ("e2e", Metric::E2e),
    ("speed", Metric::Speed),
    ("success", Metric::Success),
    ("goodput", Metric::Goodput),
    ("首token时延", Metric::Ttft),
    ("首token延迟", Metric::Ttft),
    ("首token时间", Metric::Ttft),
    ("首token", Metric::Ttft),
    ("首字时延", Metric::Ttft),
    ("首字延迟", Metric::Ttft),
    ("首字时间", Metric::Ttft),
    ("首字", Metric::Ttft),
    ("首词元时延", Metric::Ttft),
    ("首词元延迟", Metric::Ttft),
    ("首词元", Metric::Ttft),
    ("每token时延", Metric::Tpot),
    ("每token延迟", Metric::Tpot),
    ("每token时间", Metric::Tpot),
    ("每token", Metric::Tpot),
    ("每词元时延", Metric::Tpot),
    ("每词元", Metric::Tpot),
    ("token间隔", Metric::Itl),
    ("词元间隔", Metric::Itl),
    ("输出间隔", Metric::Itl),
    ("端到端时延", Metric::E2e),
    ("端到端延迟", Metric::E2e),
    ("端到端", Metric::E2e),
    ("请求时延", Metric::E2e),
    ("请求时间", Metric::E2e),
    ("总时延", Metric::E2e),
    ("单路速度", Metric::Speed),
    ("单路速率", Metric::Speed),
    ("速度", Metric::Speed),
    ("请求成功率", Metric::Success),
    ("成功率", Metric::Success),
    ("达标请求占比", Metric::Goodput),
    ("达标占比", Metric::Goodput),
    ("达标请求比例", Metric::Goodput),
    ("达标率", Metric::Goodput),
];

/// A metric that was found, and where its name ends.
pub(super) struct Name {
    pub(super) metric: Metric,
    pub(super) end: usize,
}

/// The longest name of a metric from a place on. A name in Latin letters ends where they end.
pub(super) fn metric(plain: &[char], from: usize) -> Option<Name> {
    METRICS
        .iter()
        .filter_map(|(name, metric)| {
            let end = matched(plain, from, name)?;
            Some(Name {
                metric: *metric,
                end,
            })
        })
        .max_by_key(|name| name.end)
}

/// Whether `平均` or `均值` stands before the metric, and where that begins.
pub(super) fn leading_mean(plain: &[char], from: usize) -> (bool, usize) {
    let end = ["平均", "均值"]
        .iter()
        .find_map(|word| matched(plain, from, word));
    match end {
        Some(end) => {
            let gap = plain[end..]
                .iter()
                .take_while(|one| one.is_whitespace() || **one == '的');
            (true, end + gap.count())
        }
        None => (false, from),
    }
}

/// Where a name ends that stands at a place, with spaces in it or not.
fn matched(plain: &[char], from: usize, name: &str) -> Option<usize> {
    let mut at = from;
    for (number, wanted) in name.chars().enumerate() {
        while number > 0 && plain.get(at).is_some_and(|one| one.is_whitespace()) {
            at += 1;
        }
        if plain.get(at) != Some(&wanted) {
            return None;
        }
        at += 1;
    }
    let ends_in_latin = name.ends_with(|one: char| one.is_ascii_alphanumeric());
    let goes_on = plain.get(at).is_some_and(char::is_ascii_alphanumeric);
    (!ends_in_latin || !goes_on).then_some(at)
}
