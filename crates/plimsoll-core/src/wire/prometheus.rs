//! The Prometheus text format, as far as server metrics need it: one value a line. Which metric
//! means what is no matter of the format.

/// One line of a page: metric name, its labels as written, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricLine<'a> {
    /// Metric name, such as `vllm:num_requests_running`.
    pub name: &'a str,
    /// What stands between the braces; empty without labels.
    pub labels: &'a str,
    /// The value as written, which may be NaN or infinite.
    pub value: f64,
}

/// The values of a page, in order. Comments and lines without a value are passed over.
pub fn metric_lines(page: &str) -> impl Iterator<Item = MetricLine<'_>> {
    page.lines().filter_map(parse_line)
}

fn parse_line(line: &str) -> Option<MetricLine<'_>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (name, labels, rest) = if let Some(open) = line.find('{') {
        let close = line.rfind('}').filter(|close| *close > open)?;
        (&line[..open], &line[open + 1..close], &line[close + 1..])
    } else {
        let space = line.find(char::is_whitespace)?;
        (&line[..space], "", &line[space..])
    };
    Some(MetricLine {
        name: name.trim(),
        labels,
        value: rest.split_whitespace().next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_and_without_labels() {
        let page = "# HELP a b\n# TYPE a gauge\na 3\nvllm:b{model_name=\"m {x}\"} 0.5 1700000000\n\nbad\nd{x=\"1\"} +Inf\n";
        let lines: Vec<_> = metric_lines(page).collect();
        let line = |name, labels, value| MetricLine {
            name,
            labels,
            value,
        };
        assert_eq!(
            lines,
            [
                line("a", "", 3.0),
                line("vllm:b", "model_name=\"m {x}\"", 0.5),
                line("d", "x=\"1\"", f64::INFINITY),
            ]
        );
        assert!(metric_lines("c NaN").all(|line| line.value.is_nan()));
    }
}
