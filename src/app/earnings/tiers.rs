//! Sets of tiers: from which ratio on a stock is rich, as data (`iv_crush.md` A5).

use crate::app::error::{AppError, Result};
use crate::quant::earnings::vrp::Tiers;
use crate::sources::mapping::toml_said;
use serde::Deserialize;

/// The bundled sets; `schemas/rules/` holds them. The first is the default.
pub const BUNDLED: [(&str, &str); 4] = [
    ("seed", include_str!("../../../schemas/rules/vrp-seed.toml")),
    ("balanced", include_str!("../../../schemas/rules/vrp-balanced.toml")),
    ("aggressive", include_str!("../../../schemas/rules/vrp-aggressive.toml")),
    ("legacy", include_str!("../../../schemas/rules/vrp-legacy.toml")),
];

/// Which move counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Close to close.
    Close,
    /// High less low.
    Intraday,
    /// Close to open.
    Gap,
}

impl Metric {
    /// The column of a projection of moves.
    pub fn column(self) -> &'static str {
        match self {
            Self::Close => "close_move",
            Self::Intraday => "intraday_move",
            Self::Gap => "gap_move",
        }
    }
}

/// What is said of moves of a column: from where to where they are measured, where that is not from
/// close to close.
pub fn metric_words(column: &str) -> &'static str {
    match column {
        "intraday_move" => " from low to high",
        "gap_move" => " from close to open",
        _ => "",
    }
}

/// A set of tiers.
#[derive(Clone, Debug)]
pub struct TierSet {
    /// Its name.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// One sentence for a person.
    pub title: String,
    /// The thresholds.
    pub tiers: Tiers,
    /// Which move counts.
    pub metric: Metric,
    /// Fewest past moves.
    pub min_quarters: usize,
    /// Most past moves.
    pub max_quarters: usize,
}

/// What settings say instead of a set; they are checked where they are read.
#[derive(Clone, Debug, PartialEq)]
pub struct TierChanges {
    /// The thresholds.
    pub tiers: Tiers,
    /// `close`, `intraday` or `gap`.
    pub metric: String,
    /// Fewest and most past moves.
    pub quarters: (usize, usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: u32,
    title: String,
    excellent: f64,
    good: f64,
    marginal: f64,
    metric: Metric,
    min_quarters: usize,
    max_quarters: usize,
}

impl TierSet {
    /// The bundled set of a name.
    ///
    /// # Errors
    /// [`AppError::Rules`] when there is none.
    pub fn bundled(name: &str) -> Result<Self> {
        match BUNDLED.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text),
            None => Err(wrong(name, vec!["neither a bundled set nor a file".to_owned()])),
        }
    }

    /// The set with what settings say; where that is another, its name says so.
    #[must_use]
    pub fn changed(self, to: &TierChanges) -> Self {
        let metric = [Metric::Close, Metric::Intraday, Metric::Gap]
            .into_iter()
            .find(|metric| metric.column().trim_end_matches("_move") == to.metric)
            .unwrap_or(self.metric);
        let ((min_quarters, max_quarters), tiers) = (to.quarters, to.tiers);
        let same = tiers == self.tiers
            && metric == self.metric
            && (min_quarters, max_quarters) == (self.min_quarters, self.max_quarters);
        let id = if same { self.id } else { format!("{}, changed by settings", self.id) };
        Self { id, tiers, metric, min_quarters, max_quarters, ..self }
    }

    /// Reads a set; `name` is what messages call it.
    ///
    /// # Errors
    /// [`AppError::Rules`] with everything that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let file: File =
            toml::from_str(text).map_err(|error| wrong(name, vec![toml_said(text, &error)]))?;
        let mut problems = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        must(file.marginal > 0.0, "`marginal` must be above 0");
        must(file.good > file.marginal, "`good` must be above `marginal`");
        must(file.excellent > file.good, "`excellent` must be above `good`");
        must(file.excellent.is_finite(), "`excellent` must be a number");
        must(file.min_quarters >= 1, "`min_quarters` must be 1 or more");
        must(
            (file.min_quarters..=400).contains(&file.max_quarters),
            "`max_quarters` must be `min_quarters` or more, and 400 or less",
        );
        if !problems.is_empty() {
            return Err(wrong(name, problems));
        }
        let (excellent, good, marginal) = (file.excellent, file.good, file.marginal);
        Ok(Self {
            id: file.id,
            version: file.version,
            title: file.title,
            tiers: Tiers { excellent, good, marginal },
            metric: file.metric,
            min_quarters: file.min_quarters,
            max_quarters: file.max_quarters,
        })
    }
}

fn wrong(name: &str, problems: Vec<String>) -> AppError {
    let known: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
    let known = format!(
        "bundled are {}; a file of your own is given by its path: `--tiers ./my.toml`, with the \
         keys of schemas/rules/vrp-seed.toml",
        known.join(", ")
    );
    AppError::Rules { name: name.to_owned(), problems, known }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::earnings::vrp::Tier;

    #[test]
    fn the_bundled_sets_are_those_of_the_specification() {
        let bounds = [(2.0, 1.5, 1.2), (1.8, 1.4, 1.2), (1.5, 1.3, 1.1), (7.0, 4.0, 1.5)];
        for ((name, _), (excellent, good, marginal)) in BUNDLED.into_iter().zip(bounds) {
            let set = TierSet::bundled(name).unwrap();
            assert_eq!((set.id.as_str(), set.metric), (name, Metric::Close));
            assert_eq!(set.tiers, Tiers { excellent, good, marginal });
            assert_eq!((set.min_quarters, set.max_quarters), (4, 12));
            assert_eq!(set.tiers.of(good), Tier::Good);
        }
        assert!(TierSet::bundled("vrp-seed").is_err());
    }

    #[test]
    fn settings_change_a_set_and_its_name() {
        let set = || TierSet::bundled("seed").unwrap();
        let mut to = TierChanges { tiers: set().tiers, metric: "close".into(), quarters: (4, 12) };
        assert_eq!(set().changed(&to).id, "seed");
        (to.metric, to.quarters) = ("gap".into(), (2, 8));
        let changed = set().changed(&to);
        assert_eq!((changed.metric, changed.min_quarters), (Metric::Gap, 2));
        assert_eq!(changed.id, "seed, changed by settings");
    }

    #[test]
    fn mistakes_are_named_all_at_once() {
        let text = BUNDLED[0].1;
        let said = |text: &str| match TierSet::parse("mine", text) {
            Err(AppError::Rules { problems, .. }) => problems,
            other => panic!("{other:?}"),
        };
        let both =
            text.replace("good = 1.5", "good = 2.5").replace("marginal = 1.2", "marginal = 0.0");
        assert_eq!(said(&both).len(), 2, "{:?}", said(&both));
        assert_eq!(said(&text.replace("good = 1.5", "good = nan")).len(), 2);
        assert_eq!(said(&text.replace("min_quarters = 4", "min_quarters = 13")).len(), 1);
        for (from, to, word) in [
            ("good", "godo", "unknown field `godo`"),
            ("\"close\"", "\"noon\"", "unknown variant `noon`"),
            ("id = ", "id ", "line 1"),
        ] {
            let problems = said(&text.replacen(from, to, 1));
            assert!(problems[0].contains(word), "{problems:?}");
        }
    }
}
