//! The numbers and words of `config.toml` that steer services, cache, tiers and diagnostics
//! (`iv_crush.md` A16): one table with defaults and rules, checked as a whole.

use super::FileValues;
use super::file::Value;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// A whole number of at least this and at most that.
    Whole(u32, u32),
    /// A number of at least this.
    Least(f64),
    /// A number above 0.
    Positive,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// Any text of one line; its own section is the user's.
    Line,
}

const LEVELS: &[&str] = &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Sets of tiers by their names: excellent, good, marginal.
const PROFILES: [(&str, [f64; 3]); 4] = [
    ("seed", [2.0, 1.5, 1.2]),
    ("balanced", [1.8, 1.4, 1.2]),
    ("aggressive", [1.5, 1.3, 1.1]),
    ("legacy", [7.0, 4.0, 1.5]),
];

/// Most that a service may be told to take or wait; more is a slip of the pen.
const MOST: u32 = 1_000_000;

/// A key, its default (none where what follows from another key holds), and its rule.
pub(super) const RULES: &[(&str, Option<&str>, Rule)] = &[
    ("vrp.profile", Some("seed"), Rule::Word(&["seed", "balanced", "aggressive", "legacy"])),
    ("vrp.excellent", None, Rule::Positive),
    ("vrp.good", None, Rule::Positive),
    ("vrp.marginal", None, Rule::Positive),
    ("vrp.metric", Some("close"), Rule::Word(&["close", "intraday", "gap"])),
    ("quarters.min", Some("4"), Rule::Whole(1, 400)),
    ("quarters.max", Some("12"), Rule::Whole(1, 400)),
    ("alpha_vantage.per_minute", Some("5"), Rule::Whole(1, MOST)),
    ("alpha_vantage.per_day", Some("25"), Rule::Whole(1, MOST)),
    ("tradier.per_second", Some("10"), Rule::Whole(1, 1000)),
    ("tradier.per_minute", Some("120"), Rule::Whole(1, MOST)),
    ("retry.max_attempts", Some("3"), Rule::Whole(1, 100)),
    ("retry.backoff_base", Some("2"), Rule::Least(1.0)),
    ("retry.max_backoff", Some("60"), Rule::Least(1.0)),
    ("breaker.failure_threshold", Some("5"), Rule::Whole(1, MOST)),
    ("breaker.recovery_timeout", Some("60"), Rule::Positive),
    ("max_concurrent_requests", Some("10"), Rule::Whole(1, 64)),
    ("request_timeout", Some("30"), Rule::Positive),
    ("cache.l1_ttl", Some("30"), Rule::Positive),
    ("cache.l2_ttl", Some("300"), Rule::Positive),
    ("cache.l1_max", Some("1000"), Rule::Whole(1, MOST)),
    ("log.level", None, Rule::Word(LEVELS)),
    ("log.file", None, Rule::Line),
];

/// Longest time in seconds that any key takes: a day.
const LONGEST: f64 = 86_400.0;

/// The rule of a key.
pub(super) fn rule(key: &str) -> Option<Rule> {
    RULES.iter().find(|(known, ..)| *known == key).map(|(.., rule)| *rule)
}

/// Something wrong, with the key that is blamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key.
    pub key: String,
    /// What is wrong with it, for a person; without the key.
    pub text: String,
}

/// What a command needs besides its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The key of a service that the command asks, by the name it has in problems, and whether
    /// there is one.
    pub key: Option<(&'static str, bool)>,
    /// Whether the ledger's directory is there; not looked at by commands that need none.
    pub directory_exists: Option<bool>,
    /// Whether it can be written.
    pub directory_writable: Option<bool>,
}

/// The settings in effect.
#[derive(Clone, Copy, Debug)]
pub struct Tuning<'a> {
    files: &'a FileValues,
}

impl<'a> Tuning<'a> {
    /// What files say over the defaults.
    pub fn of(files: &'a FileValues) -> Self {
        Self { files }
    }

    /// The text of a key in effect; `None` where nothing says it.
    pub fn text(&self, key: &str) -> Option<String> {
        let said = self.files.get(key).map(|(value, _)| value.to_string());
        said.or_else(|| {
            let found = RULES.iter().find(|(known, ..)| *known == key);
            found.and_then(|(_, default, _)| default.map(str::to_owned))
        })
    }

    /// A number in effect; of tiers that of the profile where no key says it.
    pub fn number(&self, key: &str) -> f64 {
        let told = self.text(key).and_then(|text| text.parse().ok());
        told.or_else(|| self.of_profile(key)).unwrap_or(f64::NAN)
    }

    /// A whole number in effect.
    pub fn whole(&self, key: &str) -> u32 {
        self.number(key) as u32
    }

    /// A time in effect, given in seconds.
    pub fn seconds(&self, key: &str) -> std::time::Duration {
        std::time::Duration::try_from_secs_f64(self.number(key)).unwrap_or_default()
    }

    /// Whether a file says it.
    pub fn is_set(&self, key: &str) -> bool {
        self.files.get(key).is_some()
    }

    fn of_profile(&self, key: &str) -> Option<f64> {
        let profile = self.text("vrp.profile")?.to_lowercase();
        let (_, numbers) = PROFILES.iter().find(|(name, _)| *name == profile)?;
        let place = ["vrp.excellent", "vrp.good", "vrp.marginal"].iter().position(|k| *k == key)?;
        numbers.get(place).copied()
    }

    /// Everything that is wrong, at once (`iv_crush.md` A16): each key by its own rule, then the
    /// greater one of a pair that is out of order, then what the command needs.
    pub fn problems(&self, needs: &Surroundings) -> Vec<Problem> {
        let mut found: Vec<Problem> = Vec::new();
        let mut blame = |key: &str, text: String| {
            if !found.iter().any(|known| known.key == key) {
                found.push(Problem { key: key.to_owned(), text });
            }
        };
        for (key, _, rule) in RULES {
            if let Some((value, _)) = self.files.get(key)
                && !fits(key, value, *rule)
            {
                blame(key, format!("must be {}", wanted(key, *rule)));
            }
        }
        for (greater, smaller) in [("vrp.excellent", "vrp.good"), ("vrp.good", "vrp.marginal")] {
            let (one, other) = (self.number(greater), self.number(smaller));
            if one <= other {
                blame(greater, format!("is {one}, which is not above {smaller}, {other}"));
            }
        }
        for (smaller, greater) in
            [("quarters.min", "quarters.max"), ("cache.l1_ttl", "cache.l2_ttl")]
        {
            let (one, other) = (self.number(smaller), self.number(greater));
            if one > other {
                blame(smaller, format!("is {one}, which is above {greater}, {other}"));
            }
        }
        if let Some(file) = self.text("log.file") {
            let folder = std::path::Path::new(&file).parent();
            let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) {
                blame("log.file", "must be in a directory that is there".to_owned());
            }
        }
        if let Some((key, false)) = needs.key {
            blame(key, "is missing: the command asks this service".to_owned());
        }
        if needs.directory_exists == Some(false) {
            blame("db.dir_exists", "the ledger's directory is not there".to_owned());
        } else if needs.directory_writable == Some(false) {
            blame("db.dir_writable", "the ledger's directory cannot be written".to_owned());
        }
        found
    }
}

/// Whether a value obeys its rule.
fn fits(key: &str, value: &Value, rule: Rule) -> bool {
    let number = match value {
        Value::Decimal(number) => Some(*number),
        _ => None,
    };
    let in_reach = |number: f64| number.is_finite() && (!is_time(key) || number <= LONGEST);
    match (rule, value) {
        (Rule::Whole(from, to), _) => number.is_some_and(|number| {
            number.fract() == 0.0 && (f64::from(from)..=f64::from(to)).contains(&number)
        }),
        (Rule::Least(least), _) => number.is_some_and(|n| n >= least && in_reach(n)),
        (Rule::Positive, _) => number.is_some_and(|n| n > 0.0 && in_reach(n)),
        (Rule::Word(words), Value::Text(text)) => {
            words.iter().any(|word| word.eq_ignore_ascii_case(text))
        }
        (Rule::Line, Value::Text(_)) => true,
        _ => false,
    }
}

fn is_time(key: &str) -> bool {
    ["_timeout", "_ttl", "max_backoff"].iter().any(|end| key.ends_with(end))
}

/// What a key takes, for a person.
pub(super) fn wanted(key: &str, rule: Rule) -> String {
    match rule {
        Rule::Whole(from, to) => format!("a whole number from {from} to {to}"),
        Rule::Least(least) => format!("a number of {least} or more"),
        Rule::Positive if is_time(key) => format!("a number above 0, up to {LONGEST} seconds"),
        Rule::Positive => "a number above 0".to_owned(),
        Rule::Word(words) => format!("one of {}", words.join(", ")),
        Rule::Line => "a text of one line".to_owned(),
    }
}

#[cfg(test)]
mod tests;
