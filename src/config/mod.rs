//! What a run takes from its surroundings: environment variables, directories, the locale.
//!
//! The only floor that reads the environment. It knows nothing of ledgers or commands; it hands
//! over plain values, and says which variable is wrong.

mod actor;
mod file;
mod paths;
mod polygon;
mod providers;
mod shown;
mod tuning;

pub use actor::shut;
pub use file::{FileError, FileValues};
pub use paths::{Found, ledger_directory, new_ledger_directory, signing_key_file};
pub use polygon::PolygonSettings;
pub use providers::{KeyedService, KeyedSettings};
pub use shown::{ConfigFile, Effective, Providers};
pub use tuning::{Problem, Surroundings, Tuning};

use crate::domain::Series;
use chrono::DateTime;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that names who acts, whatever the files say.
const ACTOR: &str = "VOLLEDGER_ACTOR";

/// Who acts, when nothing says it.
const UNKNOWN: &str = "unknown";

/// A variable whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {value:?}, which is not {wanted}")]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// What it should be.
    pub wanted: &'static str,
}

/// Everything taken from the surroundings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `VOLLEDGER_DIR`.
    pub directory: Option<PathBuf>,
    /// `VOLLEDGER_NOW`, in ms since 1970 UTC.
    pub now_ms: Option<i64>,
    /// `VOLLEDGER_LOG`: which diagnostics go to standard error.
    pub log: Option<String>,
    /// `VOLLEDGER_ACTOR`, the files' `actor`, else the system's user: who acts, as recorded in
    /// entries.
    pub actor: String,
    /// What named the actor.
    pub actor_from: String,
    /// `VOLLEDGER_LOCK_WAIT`: how long to wait for another process.
    pub patience: Duration,
    /// Whether `VOLLEDGER_LOCK_WAIT` said so.
    patience_set: bool,
    /// `VOLLEDGER_MIRROR`, the files' `mirror`: whether the ledger is also written to its mirror;
    /// it is, unless told otherwise.
    pub mirror: bool,
    /// Whether `VOLLEDGER_MIRROR` said so.
    mirror_set: bool,
    /// `access.two_person` of the files: whether a batch must be confirmed by another person than
    /// the one who staged it. No variable switches it off.
    pub two_person: bool,
    /// `retention` of the files: how many days the rows of each view are kept for.
    pub retention: Vec<(Series, u32)>,
    /// What the settings files say.
    pub files: FileValues,
    /// `VOLLEDGER_CONFIG`: the user's settings file.
    pub config_file: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, or its default.
    pub config_home: Option<PathBuf>,
    /// `VOLLEDGER_PAGER`, else `PAGER`. An empty one means: no pager.
    pub pager: Option<String>,
    /// `COLUMNS`.
    pub columns: Option<u16>,
    /// `CI` is set: nobody is there to answer.
    pub ci: bool,
    /// `NO_PROGRESS` is set.
    pub no_progress: bool,
    /// Whether the locale can show signs beyond ASCII.
    pub unicode: bool,
    /// The current directory.
    pub current: PathBuf,
    /// `XDG_DATA_HOME`, or its default.
    pub data_home: Option<PathBuf>,
    /// `VOLLEDGER_SIGNING_KEY`: the file of the signing key.
    pub signing_key: Option<PathBuf>,
    /// Where programs are looked for.
    pub path: Option<OsString>,
}

impl Settings {
    /// Reads the environment of this process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let look = |name: &str| std::env::var_os(name);
        let mut settings = Self::from_lookup(&look)?;
        settings.current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        settings.data_home = paths::data_home();
        settings.config_home = paths::config_home();
        if settings.actor_from == UNKNOWN
            && let Some(user) = actor::system_user()
        {
            (settings.actor, settings.actor_from) = (one_line(&user), "the system".to_owned());
        }
        Ok(settings)
    }

    /// Takes in the user's settings file, and over it the one in a ledger's directory; variables
    /// win over both.
    ///
    /// `asks` is the service whose answers a command writes into the ledger: its key and the
    /// directory, where missing, are told with everything else that is wrong. Where nothing else
    /// is, the command says it itself.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn with_files(
        mut self,
        ledger: &Path,
        asks: Option<KeyedService>,
    ) -> Result<Self, FileError> {
        let (mut files, mut problems) = (FileValues::default(), Vec::new());
        for place in self.config_files(ledger) {
            if place.named && !place.path.is_file() {
                let path = place.path.display();
                problems.push(format!("{path}, which VOLLEDGER_CONFIG names, is not there"));
            }
            files.read(&place.path, place.what == "ledger", &mut problems);
        }
        let settings = Tuning::of(&files);
        let of_settings = settings.problems(&Surroundings::default());
        let needs = asks.map(|service| self.surroundings(ledger, service, &files));
        let all = settings.problems(&needs.unwrap_or_default());
        if !(problems.is_empty() && of_settings.is_empty()) {
            problems.extend(all.into_iter().map(|wrong| {
                let file = files.get(&wrong.key).map(|(_, path)| path.display().to_string());
                let file = file.map(|file| format!(" ({file})")).unwrap_or_default();
                format!("{} {}{file}", wrong.key, wrong.text)
            }));
            return Err(FileError { problems });
        }
        if let (Some(actor), true) = (files.text("actor"), self.actor_from != ACTOR) {
            self.actor = one_line(actor);
            let from = files.get("actor").map(|(_, path)| path.display().to_string());
            self.actor_from = from.unwrap_or_default();
        }
        if let (Some(mirror), false) = (files.bool("mirror"), self.mirror_set) {
            self.mirror = mirror;
        }
        self.two_person = files.bool("access.two_person").unwrap_or(false);
        self.retention = files.retention();
        self.files = files;
        Ok(self)
    }

    /// What a command that asks a service finds around it.
    fn surroundings(
        &self,
        ledger: &Path,
        service: KeyedService,
        files: &FileValues,
    ) -> Surroundings {
        let found = KeyedSettings::from_environment(service, files);
        let name = match service {
            KeyedService::AlphaVantage => "api.alpha_vantage_api_key",
            KeyedService::Tradier => "api.tradier_api_key",
        };
        // A file that cannot be read is told by name later; it is not a missing key.
        let has_key = found.map_or(true, |found| found.key.is_some());
        Surroundings {
            key: Some((name, has_key)),
            directory_exists: Some(ledger.is_dir()),
            directory_writable: Some(paths::is_writable(ledger)),
        }
    }

    /// Reads an environment given as a function. An empty variable is as good as none.
    pub fn from_lookup(look: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let raw = |name: &str| look(name).filter(|value| !value.is_empty());
        let text = |name: &str| raw(name).map(|value| value.to_string_lossy().into_owned());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name));
        let now_ms = match text("VOLLEDGER_NOW") {
            None => None,
            Some(value) => match DateTime::parse_from_rfc3339(value.trim()) {
                Ok(at) => Some(at.timestamp_millis()),
                Err(_) => {
                    let wanted = "a time such as 2025-12-19T16:00:00Z";
                    return Err(ConfigError { variable: "VOLLEDGER_NOW", value, wanted });
                }
            },
        };
        let patience = match text("VOLLEDGER_LOCK_WAIT") {
            None => Duration::from_secs(2),
            Some(value) => match seconds(&value) {
                Some(wait) => wait,
                None => {
                    let wanted = "a number of seconds from 0 to 86400";
                    return Err(ConfigError { variable: "VOLLEDGER_LOCK_WAIT", value, wanted });
                }
            },
        };
        if let Some(value) = text(ACTOR).filter(|value| !file::is_line(value)) {
            return Err(ConfigError { variable: ACTOR, value, wanted: file::A_LINE });
        }
        let named = [ACTOR, "USER", "LOGNAME"];
        let actor = named.iter().find_map(|name| Some((text(name)?, *name)));
        let (actor, actor_from) = actor.unwrap_or_else(|| (UNKNOWN.to_owned(), UNKNOWN));
        let mirror = match text("VOLLEDGER_MIRROR").as_deref() {
            None | Some("1" | "true") => true,
            Some("0" | "false") => false,
            Some(value) => {
                let (variable, value) = ("VOLLEDGER_MIRROR", value.to_owned());
                return Err(ConfigError { variable, value, wanted: "0 or 1" });
            }
        };
        let pager = look("VOLLEDGER_PAGER").or_else(|| look("PAGER"));
        let locale = first(&["LC_ALL", "LC_CTYPE", "LANG"]);
        Ok(Self {
            directory: raw("VOLLEDGER_DIR").map(PathBuf::from),
            now_ms,
            log: text("VOLLEDGER_LOG"),
            actor: one_line(&actor),
            actor_from: actor_from.to_owned(),
            patience,
            patience_set: text("VOLLEDGER_LOCK_WAIT").is_some(),
            mirror,
            mirror_set: text("VOLLEDGER_MIRROR").is_some(),
            two_person: false,
            retention: Vec::new(),
            files: FileValues::default(),
            config_file: raw("VOLLEDGER_CONFIG").map(PathBuf::from),
            config_home: None,
            pager: pager.map(|value| value.to_string_lossy().into_owned()),
            columns: text("COLUMNS").and_then(|value| value.trim().parse().ok()),
            ci: text("CI").is_some_and(|value| !matches!(value.as_str(), "0" | "false")),
            no_progress: raw("NO_PROGRESS").is_some(),
            unicode: locale.is_none_or(|locale| is_utf8(&locale)),
            current: PathBuf::from("."),
            data_home: None,
            signing_key: raw("VOLLEDGER_SIGNING_KEY").map(PathBuf::from),
            path: raw("PATH"),
        })
    }

    /// Whether a program of this name is on the search path.
    pub fn has_program(&self, name: &str) -> bool {
        let Some(path) = &self.path else { return false };
        std::env::split_paths(path).any(|folder| folder.join(name).is_file())
    }
}

/// The words of the command line, the program's name first.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Makes a directory the current one, and says which was before.
pub fn enter(directory: &Path) -> std::io::Result<PathBuf> {
    let before = std::env::current_dir()?;
    std::env::set_current_dir(directory)?;
    Ok(before)
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    let sensible = (0.0..=86_400.0).contains(&seconds);
    sensible.then(|| Duration::from_secs_f64(seconds))
}

/// An unset locale is taken for one with UTF-8, as containers seldom set any.
fn is_utf8(locale: &str) -> bool {
    let lower = locale.to_ascii_lowercase();
    lower.contains("utf-8") || lower.contains("utf8")
}

/// A name is recorded for ever, on one line and not longer than a line; a blank behind it makes nobody
/// another person.
fn one_line(name: &str) -> String {
    let line: String = name.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::from_lookup(&|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.actor, "unknown");
        assert_eq!(settings.patience, Duration::from_secs(2));
        assert!(settings.mirror && !read(&[("VOLLEDGER_MIRROR", "0")]).unwrap().mirror);
        assert!(settings.unicode && !settings.ci && settings.now_ms.is_none());
        assert_eq!(read(&[("VOLLEDGER_DIR", "")]).unwrap().directory, None);
    }

    #[test]
    fn variables_are_read_in_their_order() {
        let both = [("USER", "ann"), ("VOLLEDGER_ACTOR", "desk 3")];
        assert_eq!(read(&both).unwrap().actor, "desk 3");
        assert_eq!(read(&[("USER", "desk\n3")]).unwrap().actor, "desk3");
        assert_eq!(read(&[("VOLLEDGER_ACTOR", " ann ")]).unwrap().actor, "ann");
        assert_eq!(read(&[("LOGNAME", "bo")]).unwrap().actor, "bo");
        let pagers = [("PAGER", "more"), ("VOLLEDGER_PAGER", "")];
        assert_eq!(read(&pagers).unwrap().pager.as_deref(), Some(""));
        let now = read(&[("VOLLEDGER_NOW", "1970-01-01T01:00:01+01:00")]).unwrap();
        assert_eq!(now.now_ms, Some(1000));
        let wait = read(&[("VOLLEDGER_LOCK_WAIT", "0.5")]).unwrap();
        assert_eq!(wait.patience, Duration::from_millis(500));
    }

    #[test]
    fn files_stand_between_variables_and_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let text = "actor = \"desk \"\nmirror = false\n[access]\ntwo_person = true\n";
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        let with = |pairs: &[_]| read(pairs).unwrap().with_files(folder.path(), None).unwrap();
        let plain = with(&[("USER", "ann")]);
        assert_eq!((plain.actor.as_str(), plain.mirror, plain.two_person), ("desk", false, true));
        let set = with(&[("VOLLEDGER_ACTOR", "bo"), ("VOLLEDGER_MIRROR", "1")]);
        assert_eq!((set.actor.as_str(), set.mirror, set.two_person), ("bo", true, true));
        let absent = read(&[("VOLLEDGER_CONFIG", "absent.toml")]).unwrap();
        let problems = absent.with_files(folder.path(), None).unwrap_err().problems;
        assert!(problems[0].contains("VOLLEDGER_CONFIG"), "{problems:?}");
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (name, value) in [
            ("VOLLEDGER_NOW", "yesterday"),
            ("VOLLEDGER_MIRROR", "sometimes"),
            ("VOLLEDGER_ACTOR", "desk\n3"),
            ("VOLLEDGER_ACTOR", "  "),
            ("VOLLEDGER_ACTOR", &"a".repeat(81)),
            ("VOLLEDGER_NOW", "2025-12-19"),
            ("VOLLEDGER_LOCK_WAIT", "-1"),
            ("VOLLEDGER_LOCK_WAIT", "NaN"),
            ("VOLLEDGER_LOCK_WAIT", "1e300"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().variable, name, "{value}");
        }
    }

    #[test]
    fn the_locale_decides_about_signs() {
        for (pairs, unicode) in [
            (&[("LANG", "en_GB.UTF-8")][..], true),
            (&[("LANG", "C.utf8")][..], true),
            (&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")][..], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "POSIX")][..], false),
        ] {
            assert_eq!(read(pairs).unwrap().unicode, unicode, "{pairs:?}");
        }
    }
}
