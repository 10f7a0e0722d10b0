//! The settings as they are in effect, each with what said so.

use super::file::{NAME, Value};
use super::tuning::RULES;
use super::{Found, KeyedSettings, PolygonSettings, Settings, Tuning, paths};
use std::path::{Path, PathBuf};

/// A settings file that would be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// `user` or `ledger`.
    pub what: &'static str,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether a variable names it; then it must be there.
    pub named: bool,
}

/// A setting in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its key as in a file, or its name where no file has it.
    pub key: String,
    /// The value; `None` where nothing is set. Never a secret.
    pub value: Option<String>,
    /// A variable, a file, a flag, or `default`.
    pub from: String,
}

/// How the services are reached.
#[derive(Clone, Debug)]
pub struct Providers {
    /// Polygon (Massive).
    pub polygon: PolygonSettings,
    /// The services that are told by an address and a key.
    pub keyed: Vec<KeyedSettings>,
}

impl Settings {
    /// The settings files, the stronger one last.
    pub fn config_files(&self, ledger: &Path) -> Vec<ConfigFile> {
        let named = self.config_file.clone().map(|path| (path, true));
        let usual = || self.config_home.as_ref().map(|home| home.join("volledger").join(NAME));
        let user = named.or_else(|| Some((usual()?, false)));
        let user = user.map(|(path, named)| ConfigFile { what: "user", path, named });
        let ledger = ConfigFile { what: "ledger", path: ledger.join(NAME), named: false };
        user.into_iter().chain([ledger]).collect()
    }

    /// Every setting in effect, of the ledger at `place`.
    pub fn effective(&self, place: &Found, providers: &Providers) -> Vec<Effective> {
        let polygon = &providers.polygon;
        let mut all = Vec::new();
        let mut tell = |key: &str, value: Option<String>, from: &str| {
            let (key, from) = (key.to_owned(), from.to_owned());
            all.push(Effective { key, value, from });
        };
        let file = |key: &str| self.files.get(key).map(|(_, path)| path.display().to_string());
        let or_default = |key: &str| file(key).unwrap_or_else(|| "default".to_owned());
        tell("ledger", Some(place.directory.display().to_string()), place.by);
        tell("actor", Some(self.actor.clone()), &self.actor_from);
        let mirror_from = match self.mirror_set {
            true => "VOLLEDGER_MIRROR".to_owned(),
            false => or_default("mirror"),
        };
        tell("mirror", Some(self.mirror.to_string()), &mirror_from);
        let two = "access.two_person";
        tell(two, Some(self.two_person.to_string()), &or_default(two));
        for (series, days) in &self.retention {
            let key = format!("retention.{series}");
            tell(&key, Some(Value::Days(*days).to_string()), &or_default(&key));
        }
        let key = "polygon.base_url";
        tell(key, Some(polygon.base_url.clone()), &or_default(key));
        let secret = polygon.has_key().then(|| "set, not shown".to_owned());
        let from = match polygon.key_from {
            "api_key_file" => or_default("polygon.api_key_file"),
            other => other.to_owned(),
        };
        tell("polygon.api_key", secret, &from);
        for (key, value) in [
            ("polygon.requests_per_minute", u64::from(polygon.requests_per_minute)),
            ("polygon.jobs", polygon.jobs as u64),
            ("polygon.years", u64::from(polygon.years)),
        ] {
            let years = key == "polygon.years" && polygon.years_set;
            let variable = years.then(|| "PRICE_HISTORY_LOOKBACK_YEARS".to_owned());
            tell(key, Some(value.to_string()), &variable.unwrap_or_else(|| or_default(key)));
        }
        for service in &providers.keyed {
            let section = service.service.section();
            let key = format!("{section}.base_url");
            tell(&key, Some(service.base_url.clone()), &or_default(&key));
            let secret = service.key.as_ref().map(|_| "set, not shown".to_owned());
            let file = format!("{section}.api_key_file");
            let from =
                if service.key_from == file { or_default(&file) } else { service.key_from.clone() };
            tell(&format!("{section}.api_key"), secret, &from);
        }
        let tuning = Tuning::of(&self.files);
        for (key, default, _) in RULES {
            let tier = default.is_none() && key.starts_with("vrp.");
            let value = if tier { Some(tuning.number(key).to_string()) } else { tuning.text(key) };
            let profile = || format!("profile {}", tuning.text("vrp.profile").unwrap_or_default());
            let from = match tier && !tuning.is_set(key) {
                true => profile(),
                false => or_default(key),
            };
            tell(key, value, &from);
        }
        let set = |is: bool, name: &str| if is { name.to_owned() } else { "default".to_owned() };
        let wait = format!("{} s", self.patience.as_secs_f64());
        tell("lock_wait", Some(wait), &set(self.patience_set, "VOLLEDGER_LOCK_WAIT"));
        let key = paths::signing_key_file(None, self).map(|path| path.display().to_string());
        let named = self.signing_key.is_some();
        tell("signing_key", key, &set(named, "VOLLEDGER_SIGNING_KEY"));
        let now = self.now_ms.and_then(chrono::DateTime::from_timestamp_millis);
        tell("now", now.map(|now| now.to_rfc3339()), &set(now.is_some(), "VOLLEDGER_NOW"));
        all
    }
}
