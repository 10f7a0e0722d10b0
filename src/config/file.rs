//! `config.toml`: the user's, and over it the ledger's own.
//!
//! Every key is in one table; a file is read key by key, so that everything wrong with it is told at
//! once, by file, line and key. A value is told only where it can be no secret.

use super::tuning::{self, RULES, Rule};
use crate::domain::Series;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The name of the file, in a ledger's directory and in the user's folder.
pub(super) const NAME: &str = "config.toml";

/// What is wrong with the settings files, everything at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("; "))]
pub struct FileError {
    /// At least one problem, each with its file, line and key.
    pub problems: Vec<String>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// So many days, written `90d`.
    Days(u32),
    /// Any number.
    Decimal(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Days(days) => write!(f, "{days}d"),
            Self::Decimal(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the files say: by key in its dotted form, with the file that said it last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileValues {
    found: BTreeMap<String, (Value, PathBuf)>,
}

/// What a key takes.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Number(u64, u64),
    Days,
    /// A number; its rule is in [`tuning`], where all of them are checked together.
    Decimal,
    /// One line that is not empty.
    Line,
    /// A line that stands in the user's file only: a ledger that came from somebody else must
    /// not say where a credential is, or where it is sent.
    Mine,
}

/// What a name must be, or another text that stands on one line.
pub(super) const A_LINE: &str = "a text of one line, 80 signs at most";

/// Whether it is.
pub(super) fn is_line(text: &str) -> bool {
    let fits = !text.trim().is_empty() && text.chars().count() <= 80;
    fits && !text.contains(char::is_control)
}

impl Kind {
    fn wanted(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Number(from, to) => format!("a whole number from {from} to {to}"),
            Self::Days => "a number of days such as \"90d\"".to_owned(),
            Self::Decimal => "a number".to_owned(),
            Self::Line | Self::Mine => A_LINE.to_owned(),
        }
    }

    fn value(self, value: &DeValue<'_>) -> Option<Value> {
        match (self, value) {
            (Self::Bool, DeValue::Boolean(value)) => Some(Value::Bool(*value)),
            (Self::Number(from, to), DeValue::Integer(text)) => {
                let number = u64::from_str_radix(text.as_str(), text.radix()).ok()?;
                (from..=to).contains(&number).then_some(Value::Number(number))
            }
            (Self::Days, DeValue::String(text)) => {
                let days: u32 = text.strip_suffix('d')?.parse().ok()?;
                (1..=100_000).contains(&days).then_some(Value::Days(days))
            }
            (Self::Decimal, DeValue::Integer(text)) => {
                let number = i64::from_str_radix(text.as_str(), text.radix()).ok()?;
                Some(Value::Decimal(number as f64))
            }
            (Self::Decimal, DeValue::Float(text)) => text.as_str().parse().ok().map(Value::Decimal),
            (Self::Line, DeValue::String(text)) => {
                is_line(text).then(|| Value::Text(text.to_string()))
            }
            (Self::Mine, DeValue::String(text)) => {
                let line = !text.trim().is_empty() && !text.contains(char::is_control);
                line.then(|| Value::Text(text.to_string()))
            }
            _ => None,
        }
    }
}

/// Every key that there is.
fn known(key: &str) -> Option<Kind> {
    Some(match key {
        "actor" => Kind::Line,
        "mirror" | "access.two_person" => Kind::Bool,
        "polygon.base_url" | "polygon.api_key_file" => Kind::Mine,
        "alpha_vantage.base_url" | "alpha_vantage.api_key_file" => Kind::Mine,
        "tradier.base_url" | "tradier.api_key_file" | "log.file" => Kind::Mine,
        "polygon.requests_per_minute" => Kind::Number(0, u64::from(u32::MAX)),
        "polygon.jobs" => Kind::Number(1, 64),
        "polygon.years" => Kind::Number(1, 100),
        _ => match tuning::rule(key) {
            Some(Rule::Word(_) | Rule::Line) => Kind::Line,
            Some(_) => Kind::Decimal,
            None => {
                let series = key.strip_prefix("retention.")?;
                Series::ALL.iter().find(|known| known.name() == series).map(|_| Kind::Days)?
            }
        },
    })
}

/// Sections that stand in the user's file only: they say where a credential is sent, or a file is
/// written.
const MINE: [&str; 4] = ["polygon", "alpha_vantage", "tradier", "log"];

/// Every section.
const SECTIONS: [&str; 11] = [
    "access",
    "retention",
    "polygon",
    "alpha_vantage",
    "tradier",
    "retry",
    "breaker",
    "cache",
    "vrp",
    "quarters",
    "log",
];

/// Whether reading what a name leads to may never end, as of a pipe that nobody writes into. Of devices the
/// empty one is as good as a file.
fn waits(path: &Path) -> bool {
    let odd = |about: std::fs::Metadata| !about.is_file() && !about.is_dir();
    let empty = || path.canonicalize().is_ok_and(|real| real == Path::new("/dev/null"));
    std::fs::metadata(path).is_ok_and(odd) && !empty()
}

/// The keys of a section, for who wrote another.
fn keys_of(section: &str) -> String {
    let of_rules = RULES.iter().filter_map(|(key, ..)| match section {
        "" => (!key.contains('.')).then_some(*key),
        _ => key.strip_prefix(section)?.strip_prefix('.'),
    });
    let names = match section {
        "access" => vec!["two_person"],
        "polygon" => vec!["base_url", "api_key_file", "requests_per_minute", "jobs", "years"],
        "retention" => Series::ALL.iter().map(|series| series.name()).collect(),
        "alpha_vantage" | "tradier" => {
            ["base_url", "api_key_file"].into_iter().chain(of_rules).collect()
        }
        "" => {
            let sections = SECTIONS.map(|section| format!("[{section}]"));
            let names = ["actor", "mirror"].into_iter().chain(of_rules).map(str::to_owned);
            return names.chain(sections).collect::<Vec<_>>().join(", ");
        }
        _ => of_rules.collect(),
    };
    names.join(", ")
}

impl FileValues {
    /// Reads a file over what is known already. One that is not there says nothing.
    pub(super) fn read(&mut self, path: &Path, ledgers: bool, problems: &mut Vec<String>) {
        let shown = path.display();
        if waits(path) {
            problems
                .push(format!("{shown}: cannot be read (it is a pipe or a device, not a file)"));
            return;
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            // Where a ledger's directory is a file, the command itself says so.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return;
            }
            // Of a ledger that is somebody else's, too: nothing says that there is a file.
            Err(error)
                if ledgers
                    && error.kind() == ErrorKind::PermissionDenied
                    && path.symlink_metadata().is_err() =>
            {
                return;
            }
            Err(error) => {
                problems.push(format!("{shown}: cannot be read ({error})"));
                return;
            }
        };
        let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let table = match DeTable::parse(&text) {
            Ok(table) => table,
            Err(error) => {
                // The parser's own message may quote the line, and a key may have been written there.
                let at = error.span().map_or(0, |span| span.start);
                problems.push(format!("{shown}, line {}: this is not TOML", line(at)));
                return;
            }
        };
        let mut one = |section: &str, key: &str, at: usize, value: &DeValue<'_>| {
            let dotted = match section {
                "" => key.to_owned(),
                _ => format!("{section}.{key}"),
            };
            let place = format!("{shown}, line {}", line(at));
            let Some(kind) = known(&dotted) else {
                let keys = keys_of(section);
                let where_ = if section.is_empty() { "known" } else { "this section has" };
                problems.push(format!("{place}: there is no key {dotted} ({where_}: {keys})"));
                return;
            };
            if ledgers && MINE.contains(&section) {
                problems.push(format!("{place}: {dotted} belongs into your own {NAME}"));
                return;
            }
            match kind.value(value) {
                Some(value) => {
                    self.found.insert(dotted, (value, path.to_owned()));
                }
                None => problems.push(format!("{place}: {dotted} must be {}", kind.wanted())),
            }
        };
        for (key, value) in table.get_ref() {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            match (name, value.get_ref()) {
                (name, DeValue::Table(inner)) if SECTIONS.contains(&name) => {
                    for (key, value) in inner {
                        one(name, key.get_ref().as_ref(), key.span().start, value.get_ref());
                    }
                }
                (_, value) => one("", name, at, value),
            }
        }
    }

    /// The value of a key, and the file that gave it.
    pub fn get(&self, key: &str) -> Option<(&Value, &Path)> {
        self.found.get(key).map(|(value, path)| (value, path.as_path()))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)?.0 {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)?.0 {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        match self.get(key)?.0 {
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// How many days the rows of each view are kept for; a view without a rule keeps them for ever.
    pub fn retention(&self) -> Vec<(Series, u32)> {
        let rule = |series: Series| match self.get(&format!("retention.{series}"))?.0 {
            Value::Days(days) => Some((series, *days)),
            _ => None,
        };
        Series::ALL.into_iter().filter_map(rule).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[(&str, bool)]) -> Result<FileValues, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let (mut values, mut problems) = (FileValues::default(), Vec::new());
        for (index, (text, ledgers)) in texts.iter().enumerate() {
            let path = folder.path().join(format!("{index}.toml"));
            std::fs::write(&path, text).unwrap();
            values.read(&path, *ledgers, &mut problems);
        }
        values.read(&folder.path().join("absent"), false, &mut problems);
        if problems.is_empty() { Ok(values) } else { Err(problems) }
    }

    #[test]
    fn the_ledgers_own_file_stands_over_the_users() {
        let mine = "actor = \"ann\"\nmirror = false\n[retention]\nchain = \"30d\"\nquotes = \"9d\"\n\
                    [polygon]\njobs = 2\n";
        let its = "mirror = true\n[access]\ntwo_person = true\n[retention]\nchain = \"90d\"\n";
        let values = read(&[(mine, false), (its, true)]).unwrap();
        assert_eq!((values.text("actor"), values.bool("mirror")), (Some("ann"), Some(true)));
        assert_eq!(values.number("polygon.jobs"), Some(2));
        assert_eq!(values.bool("access.two_person"), Some(true));
        assert_eq!(values.retention(), [(Series::Chain, 90), (Series::Quotes, 9)]);
        let (value, from) = values.get("retention.chain").unwrap();
        assert_eq!((value.to_string(), from.ends_with("1.toml")), ("90d".to_owned(), true));
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_no_value() {
        let text =
            "actor = \"two\\nlines\"\nmiror = true\nmirror = \"yes\"\naccess = 1\n[access]\n";
        assert_eq!(read(&[(text, false)]).unwrap_err().len(), 1, "a table twice is no TOML");
        let text = "actor = \"two\\nlines\"\nmiror = true\nmirror = \"s3cret\"\n[access]\n\
                    two_persons = true\n[retention]\nquote = \"9d\"\nchain = \"0d\"\niv = 9\n[polygon]\n\
                    api_key = \"s3cret\"\njobs = 65\n[colour]\nx = 1\n";
        let problems = read(&[(text, false)]).unwrap_err();
        for (line, key) in [
            (1, "actor must be"),
            (
                2,
                "no key miror (known: actor, mirror, max_concurrent_requests, request_timeout, [access]",
            ),
            (3, "mirror must be true or false"),
            (5, "no key access.two_persons (this section has: two_person)"),
            (7, "no key retention.quote (this section has: iv, hv, spot"),
            (8, "retention.chain must be a number of days"),
            (9, "retention.iv must be"),
            (11, "no key polygon.api_key"),
            (12, "polygon.jobs must be a whole number from 1 to 64"),
            (13, "no key colour"),
        ] {
            let said = problems.iter().filter(|said| said.contains(&format!("line {line}: ")));
            let said: Vec<_> = said.collect();
            assert!(matches!(said[..], [one] if one.contains(key)), "{line} {key}: {problems:?}");
        }
        assert_eq!(problems.len(), 10, "{problems:?}");
        assert!(!problems.concat().contains("s3cret"), "{problems:?}");
    }

    /// A command would wait for ever, or read without an end.
    #[cfg(unix)]
    #[test]
    fn only_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (target, problem) in [("/dev/null", false), ("/dev/zero", true)] {
            let path = folder.path().join("c.toml");
            std::os::unix::fs::symlink(target, &path).unwrap();
            let (mut values, mut problems) = (FileValues::default(), Vec::new());
            values.read(&path, true, &mut problems);
            assert_eq!(problems.len(), usize::from(problem), "{problems:?}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_ledger_cannot_say_where_the_key_is_sent() {
        let text = "[polygon]\nbase_url = \"http://example.com\"\n";
        assert!(read(&[(text, false)]).is_ok());
        let problems = read(&[(text, true)]).unwrap_err();
        assert!(problems[0].contains("belongs into your own config.toml"), "{problems:?}");
    }
}
