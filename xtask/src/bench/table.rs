//! The table of figures and bounds, as Markdown.

/// The table's heading.
pub(super) const HEAD: &str = "| figure | unit | median | range | bound | met | beside it |\n\
                               |---|---|---|---|---|---|---|\n";

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
    /// Shown for its own sake.
    None,
}

/// One figure: its value in each round.
#[derive(Clone, Debug)]
pub(super) struct Row {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
    bound: Bound,
    beside: Option<(String, Vec<f64>)>,
}

impl Row {
    pub(super) fn new(
        name: impl Into<String>,
        unit: &'static str,
        values: Vec<f64>,
        bound: Bound,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            values,
            bound,
            beside: None,
        }
    }

    /// What somebody else has, in the same rounds; nothing if they were not run.
    pub(super) fn beside(mut self, name: impl Into<String>, values: Vec<f64>) -> Self {
        self.beside = (!values.is_empty()).then(|| (name.into(), values));
        self
    }

    /// Whether the median meets the bound; `None` without one.
    pub(super) fn is_met(&self) -> Option<bool> {
        let value = median(&self.values)?;
        match self.bound {
            Bound::Most(most) => Some(value <= most),
            Bound::Least(least) => Some(value >= least),
            Bound::None => None,
        }
    }

    /// The row with its median and range.
    pub(super) fn line(&self) -> String {
        let bound = match self.bound {
            Bound::Most(most) => format!("≤ {most}"),
            Bound::Least(least) => format!("≥ {least}"),
            Bound::None => "–".to_owned(),
        };
        let met = self
            .is_met()
            .map_or("–", |met| if met { "yes" } else { "no" });
        let beside = self
            .beside
            .as_ref()
            .map_or(String::new(), |(name, values)| {
                format!("{name}: {}", shown(median(values)))
            });
        format!(
            "| {} | {} | {} | {} to {} | {bound} | {met} | {beside} |\n",
            self.name,
            self.unit,
            shown(median(&self.values)),
            shown(self.values.iter().copied().reduce(f64::min)),
            shown(self.values.iter().copied().reduce(f64::max)),
        )
    }
}

fn shown(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() < 1.0 => format!("{value:.3}"),
        Some(value) if value.abs() < 100.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.0}"),
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    plimsoll_core::stats::quantile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        let row = |bound| Row::new("x", "ms", vec![3.0, 1.0, 2.0], bound);
        assert_eq!(row(Bound::Most(2.0)).is_met(), Some(true));
        assert_eq!(row(Bound::Most(1.9)).is_met(), Some(false));
        assert_eq!(row(Bound::Least(2.1)).is_met(), Some(false));
        assert_eq!(row(Bound::None).is_met(), None);
        assert_eq!(
            Row::new("x", "ms", Vec::new(), Bound::Most(1.0)).is_met(),
            None
        );
    }

    #[test]
    fn a_row_shows_its_range_and_what_is_beside_it() {
        let row = Row::new("x", "ms", vec![3.0, 1.0, 2.0], Bound::Most(2.0));
        assert_eq!(
            row.beside("peer", vec![150.4]).line(),
            "| x | ms | 2.00 | 1.00 to 3.00 | ≤ 2 | yes | peer: 150 |\n"
        );
    }
}
