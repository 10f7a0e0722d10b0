//! Sets of rules for the overview: which strategy is recommended when, as TOML.
//!
//! `schemas/rules/` holds the bundled ones, a user's own is a file. Criteria are SQL expressions
//! over [`METRICS`]; they are all tried while reading, and everything wrong is told at once.

use super::error::{AppError, Result};
use super::sql::Metrics;
use crate::domain::Series;
use crate::quant::overview::Rule;
use crate::sources::mapping::toml_said;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// The bundled sets by name, the default first.
pub const BUNDLED: [(&str, &str); 2] = [
    ("tomic-compat", include_str!("../../schemas/rules/tomic-compat.toml")),
    ("windowed", include_str!("../../schemas/rules/windowed.toml")),
];

/// What a criterion can speak of, each with what it is. Names are read in any case.
pub const METRICS: [(&str, &str); 30] = [
    ("symbol", "the symbol, a text"),
    ("spot", "newest close"),
    ("IV", "implied volatility at the money, a fraction"),
    ("atm_iv", "the same"),
    ("HV20", "historical volatility of 20 returns, a fraction"),
    ("HV30", "of 30"),
    ("HV90", "of 90"),
    ("HV252", "of 252"),
    ("iv_rank", "TOMIC's whole-file rank, 0 to 1"),
    ("iv_percentile", "TOMIC's whole-file percentile, 0 to 1"),
    ("iv_vs_hv20", "IV - HV20, a fraction"),
    ("iv_vs_hv90", "IV - HV90, a fraction"),
    ("term_m1_m2", "front less second month, points"),
    ("term_m1_m3", "front less third month, points"),
    ("skew", "25-delta put less call, points"),
    ("iv_rank_252", "rank over one year of observations, 0 to 100"),
    ("iv_percentile_252", "percentile over one year, 0 to 100"),
    ("n_252", "observations before the day, at most 252"),
    ("iv_rank_504", "rank over two years, 0 to 100"),
    ("iv_percentile_504", "percentile over two years, 0 to 100"),
    ("n_504", "observations before the day, at most 504"),
    ("iv_ma20", "mean of the last 20 observations, a fraction"),
    ("iv_vs_ma20", "IV / iv_ma20 - 1, a fraction"),
    ("iv_vs_iv_ma20", "the same"),
    ("iv_mean_21", "mean of the 21 observations before the day, a fraction"),
    ("iv_date", "day of IV, a text"),
    ("days_until_earnings", "calendar days until the next earnings"),
    ("stale", "1 where values are of different days, or older than five sessions"),
    ("spot_date", "day of spot, a text"),
    ("hv_date", "day of the historical volatilities, a text"),
];

/// Whose ranks say whether a symbol has history enough, and order the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranks {
    /// `iv_rank` and `iv_percentile`: TOMIC's, by the whole file.
    Tomic,
    /// `iv_rank_252` and `iv_percentile_252`.
    Windowed,
}

impl Ranks {
    /// The word in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tomic => "tomic",
            Self::Windowed => "windowed",
        }
    }
}

/// A set of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// Its name.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// One sentence for a person.
    pub title: String,
    /// Whose ranks decide.
    pub ranks: Ranks,
    /// Views that a symbol must have something in; else it is told as absent.
    pub needs: Vec<Series>,
    /// The rules, in order; criteria are SQL expressions.
    pub rules: Vec<Rule<String>>,
    /// What each rule says of itself, in the order of the rules.
    pub indications: Vec<Option<String>>,
    /// The text that was read.
    pub text: String,
}

impl RuleSet {
    /// The bundled set of a name.
    ///
    /// # Errors
    /// [`AppError::Rules`] when there is none.
    pub fn bundled(name: &str) -> Result<Self> {
        match BUNDLED.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text),
            None => {
                let known: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
                Err(AppError::Rules {
                    name: name.to_owned(),
                    problems: vec!["neither a bundled set nor a file".to_owned()],
                    known: format!(
                        "bundled are {}; a file of your own is given by its path: `--rules \
                         ./my.toml`",
                        known.join(" and ")
                    ),
                })
            }
        }
    }

    /// Reads a set; `name` is what messages call it.
    ///
    /// # Errors
    /// [`AppError::Rules`] with everything that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let mut problems = Vec::new();
        let found = match toml::from_str::<Table>(text) {
            Ok(table) => read(table, text, &mut problems),
            Err(error) => {
                problems.push(toml_said(text, &error));
                None
            }
        };
        match found {
            Some(set) if problems.is_empty() => Ok(set),
            _ => {
                let names: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
                let known = format!(
                    "criteria are SQL over {}; `volledger overview --print-rules` prints a set to \
                     start from",
                    names.join(", ")
                );
                Err(AppError::Rules { name: name.to_owned(), problems, known })
            }
        }
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A table whose keys are taken one by one; what stays is unknown. Everything wrong is noted.
struct Keys<'a> {
    place: String,
    table: Table,
    known: &'static [&'static str],
    problems: &'a mut Vec<String>,
}

impl Keys<'_> {
    fn note(&mut self, what: String) {
        self.problems.push(format!("{}{what}", self.place));
    }

    /// A value, where it is there and of the right kind.
    fn take<T: DeserializeOwned>(&mut self, key: &str, kind: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        let shown = shown(&value);
        let taken = value.try_into().ok();
        if taken.is_none() {
            self.note(format!("`{key}` is {kind}, not {shown}"));
        }
        taken
    }

    /// As [`Self::take`], for a value that must be there.
    fn need<T: DeserializeOwned>(&mut self, key: &str, kind: &str) -> Option<T> {
        if !self.table.contains_key(key) {
            self.note(format!("`{key}` is missing ({kind})"));
        }
        self.take(key, kind)
    }

    fn finish(mut self) {
        let strange: Vec<String> = self.table.keys().cloned().collect();
        for key in strange {
            self.note(format!("unknown key `{key}` (known are {})", self.known.join(", ")));
        }
    }
}

const SET: &[&str] = &["id", "version", "title", "ranks", "needs", "rule"];
const RULE: &[&str] =
    &["key", "strategy", "greeks", "indication", "min_days_until_earnings", "criteria"];
const BETWEEN: &[&str] = &["metric", "between"];

fn read(table: Table, text: &str, problems: &mut Vec<String>) -> Option<RuleSet> {
    let columns = METRICS.map(|(name, _)| name);
    let metrics = match Metrics::new(&columns, &[]) {
        Ok(metrics) => metrics,
        Err(error) => {
            problems.push(error.to_string());
            return None;
        }
    };
    let mut keys = Keys { place: String::new(), table, known: SET, problems };
    let id: Option<String> = keys.need("id", "a text");
    let version: Option<u32> = keys.need("version", "a whole number");
    let title: Option<String> = keys.need("title", "a text");
    let ranks: Option<String> = keys.need("ranks", "`tomic` or `windowed`");
    let ranks = ranks.and_then(|word| {
        let known = [Ranks::Tomic, Ranks::Windowed].into_iter().find(|r| r.name() == word);
        if known.is_none() {
            keys.note(format!("`ranks` is `tomic` or `windowed`, not `{word}`"));
        }
        known
    });
    let named: Vec<String> = keys.take("needs", "a list of iv, hv, spot").unwrap_or_default();
    let mut needs = Vec::new();
    for name in named {
        match [Series::Iv, Series::Hv, Series::Spot].into_iter().find(|s| s.name() == name) {
            Some(series) => needs.push(series),
            None => keys.note(format!("`needs` can name iv, hv and spot, not `{name}`")),
        }
    }
    let rules: Option<Vec<Table>> = keys.take("rule", "a list: [[rule]]");
    keys.finish();
    let (mut found, mut indications) = (Vec::new(), Vec::new());
    for (index, table) in rules.unwrap_or_default().into_iter().enumerate() {
        if let Some((rule, indication)) = rule(index, table, &metrics, problems) {
            let twice = |known: &&Rule<String>| known.key == rule.key;
            if found.iter().any(|known| twice(&known)) {
                problems.push(format!("rule `{}`: there are two of that `key`", rule.key));
            }
            found.push(rule);
            indications.push(indication);
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.push("there is no [[rule]]".to_owned());
    }
    Some(RuleSet {
        id: id?,
        version: version?,
        title: title?,
        ranks: ranks?,
        needs,
        rules: found,
        indications,
        text: text.to_owned(),
    })
}

fn rule(
    index: usize,
    table: Table,
    metrics: &Metrics,
    problems: &mut Vec<String>,
) -> Option<(Rule<String>, Option<String>)> {
    let named = table.get("key").and_then(Value::as_str).map(|key| format!("rule `{key}`: "));
    let place = named.unwrap_or_else(|| format!("rule {}: ", index + 1));
    let mut keys = Keys { place, table, known: RULE, problems };
    let key: Option<String> = keys.need("key", "a text");
    let strategy: Option<String> = keys.need("strategy", "a text");
    let greeks: Option<String> = keys.take("greeks", "a text");
    let indication: Option<String> = keys.take("indication", "a text");
    let days: Option<u16> = keys.take("min_days_until_earnings", "a number of days");
    let list: Option<Vec<Value>> = keys.need("criteria", "a list of expressions");
    let mut criteria = Vec::new();
    for (index, value) in list.unwrap_or_default().into_iter().enumerate() {
        let place = format!("{}`criteria`, number {}: ", keys.place, index + 1);
        if let Some(text) = criterion(value, place, keys.problems) {
            if let Some(why) = metrics.refusal(&text) {
                keys.note(format!("`criteria`, number {}, `{text}`: {why}", index + 1));
            }
            criteria.push(text);
        }
    }
    keys.finish();
    let rule = Rule {
        key: key?,
        strategy: strategy?,
        greeks: greeks.unwrap_or_default(),
        criteria,
        min_days_until_earnings: days.map_or(0, i32::from),
    };
    Some((rule, indication))
}

/// An expression, or `{ metric = "…", between = [low, high] }` made into one.
fn criterion(value: Value, place: String, problems: &mut Vec<String>) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Table(table) => {
            let mut keys = Keys { place, table, known: BETWEEN, problems };
            let metric: Option<String> = keys.need("metric", "a name");
            let between: Option<(f64, f64)> = keys.need("between", "two numbers, [low, high]");
            let known = METRICS.iter().any(|(name, _)| Some(*name) == metric.as_deref());
            if let (Some(metric), false) = (&metric, known) {
                keys.note(format!("no such metric: {metric}"));
            }
            if let Some((low, high)) = between.filter(|(low, high)| low > high) {
                keys.note(format!("`between` goes from low to high, not from {low} to {high}"));
            }
            let finite = between.is_none_or(|(low, high)| low.is_finite() && high.is_finite());
            if !finite {
                keys.note("`between` goes from a number to a number".to_owned());
            }
            keys.finish();
            let (low, high) = between?;
            metric
                .filter(|_| known && finite)
                .map(|name| format!("{name} BETWEEN {low} AND {high}"))
        }
        other => {
            let form = "a text or { metric = \"…\", between = [low, high] }";
            problems.push(format!("{place}{form}, not {}", shown(&other)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_sets_are_readable_and_named_by_their_id() {
        for (name, text) in BUNDLED {
            let set = RuleSet::bundled(name).unwrap();
            assert_eq!((set.id.as_str(), set.text.as_str()), (name, text));
            assert_eq!(set.rules.len(), set.indications.len());
            assert!(set.rules.len() > 5, "{name}");
        }
        let compat = RuleSet::bundled("tomic-compat").unwrap();
        for rule in &compat.rules {
            // `tomic.md` 12.3.
            let want = match rule.key.as_str() {
                "iron_condor" => 14,
                "atm_iron_butterfly" => 30,
                _ => 0,
            };
            assert_eq!(rule.min_days_until_earnings, want, "{}", rule.key);
        }
        let windowed = RuleSet::bundled("windowed").unwrap();
        assert_eq!(windowed.rules[2].criteria[0], "iv_rank_252 BETWEEN 0 AND 40");
        assert!(RuleSet::bundled("tomic").unwrap_err().to_string().contains("neither"));
    }

    const SMALL: &str = r#"
id = "own"
version = 1
title = "t"
ranks = "windowed"
[[rule]]
key = "a"
strategy = "A"
criteria = ["iv_rank_252 > 50"]
"#;

    fn problems(text: &str) -> Vec<String> {
        match RuleSet::parse("own.toml", text) {
            Err(AppError::Rules { name, problems, known }) => {
                assert_eq!(name, "own.toml");
                assert!(known.contains("iv_percentile_504"), "{known}");
                problems
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn mistakes_are_named_with_rule_and_key() {
        let set = RuleSet::parse("own.toml", SMALL).unwrap();
        assert!(set.needs.is_empty() && set.rules[0].greeks.is_empty());
        for (from, to, want) in [
            ("id = \"own\"", "id = \"own", "line 2: "),
            ("id = \"own\"", "", "`id` is missing (a text)"),
            ("version = 1", "version = \"1\"", "`version` is a whole number, not \"1\""),
            ("title", "titel", "unknown key `titel` (known are id, version, title"),
            ("\"windowed\"", "\"252\"", "`ranks` is `tomic` or `windowed`, not `252`"),
            ("ranks =", "needs = [\"bars\"]\nranks =", "`needs` can name iv, hv and spot, not"),
            ("key = \"a\"", "", "rule 1: `key` is missing"),
            ("strategy = \"A\"", "", "rule `a`: `strategy` is missing"),
            ("strategy = \"A\"", "strategy = 7", "rule `a`: `strategy` is a text, not 7"),
            ("strategy", "heatmap = 1\nstrategy", "rule `a`: unknown key `heatmap` (known are key"),
            ("[\"iv_rank_252 > 50\"]", "\"iv > 1\"", "rule `a`: `criteria` is a list of expr"),
            (
                "iv_rank_252 > 50",
                "iv_rnk > 5",
                "`criteria`, number 1, `iv_rnk > 5`: no such column",
            ),
            ("iv_rank_252 > 50", "4 < IV < 5", "write `4 < IV AND IV < 5`"),
            (
                "iv_rank_252 > 50",
                "iv_rank 0.6-1.0",
                "`iv_rank 0.6-1.0`: near \"0.6\": syntax error",
            ),
            ("\"iv_rank_252 > 50\"", "7", "rule `a`: `criteria`, number 1: a text or {"),
            (
                "\"iv_rank_252 > 50\"",
                "{ metric = \"iv_rnk\", between = [0, 1] }",
                "`criteria`, number 1: no such metric: iv_rnk",
            ),
            (
                "\"iv_rank_252 > 50\"",
                "{ metric = \"IV\", betwen = [0, 1] }",
                "`criteria`, number 1: unknown key `betwen` (known are metric, between",
            ),
            (
                "\"iv_rank_252 > 50\"",
                "{ metric = \"IV\", between = [1, 0] }",
                "`between` goes from low to high, not from 1 to 0",
            ),
            (
                "\"iv_rank_252 > 50\"",
                "{ metric = \"HV20\", between = [99.0, inf] }",
                "`between` goes from a number to a number",
            ),
            (
                "[[rule]]",
                "[[rule]]\nkey = \"a\"\nstrategy = \"B\"\ncriteria = []\n[[rule]]",
                "rule `a`: there are two of that `key`",
            ),
        ] {
            let found = problems(&SMALL.replacen(from, to, 1));
            assert!(found.iter().any(|p| p.contains(want)), "{found:#?} does not say {want}");
        }
        let head = SMALL.split("[[rule]]").next().unwrap();
        assert_eq!(problems(head), ["there is no [[rule]]"]);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = SMALL.replace("title = \"t\"", "titel = \"t\"").replace(
            "criteria = [\"iv_rank_252 > 50\"]",
            "criteria = [\"iv_rnk > 1\", \"skew <=\", 3]\ncolour = 1\n[[rule]]\nkey = \"b\"",
        );
        let found = problems(&text);
        assert_eq!(found.len(), 8, "{found:#?}");
        let error = RuleSet::parse("own.toml", &text).unwrap_err().to_string();
        assert!(found.iter().all(|problem| error.contains(problem)), "{error}");
    }
}
