//! How to reach Polygon (Massive): from flags, the environment and the user's configuration file.

use super::{ConfigError, FileValues};
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The service as it is called today.
const BASE_URL: &str = "https://api.massive.com";

/// Requests a minute of the free plan.
const FREE_PLAN: u32 = 5;

/// Requests under way at a time, unless more are wanted.
const JOBS: usize = 4;

/// Years of history that are fetched unless a range is given.
const YEARS: u32 = 2;

/// The settings of a fetch.
#[derive(Clone, Debug)]
pub struct PolygonSettings {
    /// Scheme, host and port.
    pub base_url: String,
    /// The key; `None` when there is none anywhere.
    pub key: Option<SecretString>,
    /// Where the key came from, for a person.
    pub key_from: &'static str,
    /// Whether two variables hold two keys.
    pub keys_differ: bool,
    /// Requests a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Requests under way at a time.
    pub jobs: usize,
    /// Years of history by default.
    pub years: u32,
    /// Whether a variable says how many.
    pub years_set: bool,
}

impl PolygonSettings {
    /// Takes the environment of this process over what the settings files say.
    ///
    /// # Errors
    /// A file or variable that cannot be used, by its name; never by its value where that may be
    /// a key.
    pub fn from_environment(files: &FileValues) -> Result<Self, ConfigError> {
        Self::from_lookup(&|name: &str| std::env::var_os(name), files)
    }

    /// As [`Self::from_environment`], with the environment as a function.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub fn from_lookup(
        look: &dyn Fn(&str) -> Option<OsString>,
        files: &FileValues,
    ) -> Result<Self, ConfigError> {
        let text = |name: &str| {
            let value = look(name).filter(|value| !value.is_empty());
            value.map(|value| value.to_string_lossy().trim().to_owned()).filter(|v| !v.is_empty())
        };
        let number = |key: &str| files.number(key).and_then(|value| u32::try_from(value).ok());
        let years = match text("PRICE_HISTORY_LOOKBACK_YEARS") {
            None => number("polygon.years"),
            Some(value) => match value.parse() {
                Ok(years) if (1..=100).contains(&years) => Some(years),
                _ => {
                    let variable = "PRICE_HISTORY_LOOKBACK_YEARS";
                    let wanted = "a number of years from 1 to 100";
                    return Err(ConfigError { variable, value, wanted });
                }
            },
        };
        let new = text("MASSIVE_API_KEY");
        let old = text("POLYGON_API_KEY");
        let keys_differ = matches!((&new, &old), (Some(new), Some(old)) if new != old);
        let (key, key_from) = match (new, old, files.text("polygon.api_key_file")) {
            (Some(key), ..) => (Some(key), "MASSIVE_API_KEY"),
            (None, Some(key), _) => (Some(key), "POLYGON_API_KEY"),
            (None, None, Some(path)) => (Some(read_key(&expand(path, look))?), "api_key_file"),
            (None, None, None) => (None, "nowhere"),
        };
        Ok(Self {
            base_url: files.text("polygon.base_url").unwrap_or(BASE_URL).to_owned(),
            key: key.map(SecretString::from),
            key_from,
            keys_differ,
            requests_per_minute: number("polygon.requests_per_minute").unwrap_or(FREE_PLAN),
            jobs: files.number("polygon.jobs").map_or(JOBS, |jobs| jobs as usize),
            years: years.unwrap_or(YEARS),
            years_set: text("PRICE_HISTORY_LOOKBACK_YEARS").is_some(),
        })
    }

    /// Whether there is a key that is more than blanks.
    pub fn has_key(&self) -> bool {
        self.key.as_ref().is_some_and(|key| !key.expose_secret().trim().is_empty())
    }
}

fn wrong(variable: &'static str, value: String, wanted: &'static str) -> ConfigError {
    ConfigError { variable, value, wanted }
}

pub(super) fn expand(path: &str, look: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    match (path.strip_prefix("~/"), look("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Reads a key from a file that nobody else may read.
pub(super) fn read_key(path: &Path) -> Result<String, ConfigError> {
    let shown = path.display().to_string();
    let unreadable = || wrong("api_key_file", shown.clone(), "a file that can be read");
    let found = std::fs::metadata(path).map_err(|_| unreadable())?;
    if others_may_read(&found) {
        let wanted = "for you alone; make it so with `chmod 600`";
        return Err(wrong("api_key_file", shown, wanted));
    }
    let key = std::fs::read_to_string(path).map_err(|_| unreadable())?;
    match key.trim() {
        "" => Err(wrong("api_key_file", shown, "a file with a key in it")),
        key => Ok(key.to_owned()),
    }
}

#[cfg(unix)]
fn others_may_read(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], home: Option<&Path>) -> Result<PolygonSettings, ConfigError> {
        let look = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let mut files = FileValues::default();
        if let Some(home) = home {
            files.read(&home.join("volledger").join("config.toml"), false, &mut Vec::new());
        }
        PolygonSettings::from_lookup(&look, &files)
    }

    fn key(settings: &PolygonSettings) -> Option<&str> {
        settings.key.as_ref().map(|key| key.expose_secret())
    }

    #[test]
    fn the_new_name_of_the_key_wins_and_an_empty_one_is_none() {
        let both = read(&[("POLYGON_API_KEY", "old"), ("MASSIVE_API_KEY", "new")], None).unwrap();
        assert_eq!((key(&both), both.keys_differ), (Some("new"), true));
        let old = read(&[("POLYGON_API_KEY", "old"), ("MASSIVE_API_KEY", " ")], None).unwrap();
        assert_eq!(
            (key(&old), old.keys_differ, old.key_from),
            (Some("old"), false, "POLYGON_API_KEY")
        );
        let none = read(&[], None).unwrap();
        assert!(!none.has_key());
        assert_eq!((none.requests_per_minute, none.years), (5, 2));
        assert!(!format!("{both:?}").contains("new\""), "{both:?}");
    }

    #[test]
    fn a_key_file_must_be_private_and_never_shows() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("volledger");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("key");
        std::fs::write(&file, "s3cret-in-file\n").unwrap();
        let config =
            format!("[polygon]\napi_key_file = {:?}\njobs = 2\n", file.display().to_string());
        std::fs::write(folder.join("config.toml"), &config).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            let refused = read(&[], Some(home.path())).unwrap_err().to_string();
            assert!(refused.contains("chmod 600") && !refused.contains("s3cret"), "{refused}");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = read(&[], Some(home.path())).unwrap();
        assert_eq!((key(&settings), settings.jobs), (Some("s3cret-in-file"), 2));
    }

    #[test]
    fn the_years_come_from_the_old_variable() {
        let years = |value| read(&[("PRICE_HISTORY_LOOKBACK_YEARS", value)], None);
        assert_eq!(years("5").unwrap().years, 5);
        assert!(years("0").is_err() && years("many").is_err());
    }
}
