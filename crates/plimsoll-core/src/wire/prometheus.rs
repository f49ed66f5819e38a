//! The Prometheus text format, as far as server metrics need it: one sample a line.

/// One sample: metric name, its labels as written, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Metric name, such as `vllm:num_requests_running`.
    pub name: &'a str,
    /// What stands between the braces; empty without labels.
    pub labels: &'a str,
    /// The value; NaN and infinities are left out by [`parse_samples`].
    pub value: f64,
}

/// The samples of a page, in order. Comments and lines that are no samples are passed over.
pub fn parse_samples(page: &str) -> impl Iterator<Item = Sample<'_>> {
    page.lines().filter_map(parse_line)
}

fn parse_line(line: &str) -> Option<Sample<'_>> {
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
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    value.is_finite().then_some(Sample {
        name: name.trim(),
        labels,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_with_and_without_labels() {
        let page = "# HELP a b\n# TYPE a gauge\na 3\nvllm:b{model_name=\"m {x}\"} 0.5 1700000000\n\nbad\nc NaN\nd{x=\"1\"} +Inf\n";
        let samples: Vec<_> = parse_samples(page).collect();
        assert_eq!(
            samples,
            vec![
                Sample {
                    name: "a",
                    labels: "",
                    value: 3.0
                },
                Sample {
                    name: "vllm:b",
                    labels: "model_name=\"m {x}\"",
                    value: 0.5
                },
            ]
        );
    }
}
