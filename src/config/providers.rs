//! How to reach Alpha Vantage and Tradier: where they are, and the key.

use super::polygon::{expand, read_key};
use super::{ConfigError, FileValues};
use secrecy::SecretString;
use std::ffi::OsString;

/// A service whose settings are an address and a key; the rest is in [`super::Tuning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedService {
    /// Alpha Vantage.
    AlphaVantage,
    /// Tradier.
    Tradier,
}

impl KeyedService {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AlphaVantage, Self::Tradier];

    /// The section of `config.toml`.
    pub fn section(self) -> &'static str {
        match self {
            Self::AlphaVantage => "alpha_vantage",
            Self::Tradier => "tradier",
        }
    }

    /// The variable that holds the key.
    pub fn variable(self) -> &'static str {
        match self {
            Self::AlphaVantage => "ALPHA_VANTAGE_API_KEY",
            Self::Tradier => "TRADIER_API_KEY",
        }
    }

    fn default_url(self) -> &'static str {
        match self {
            Self::AlphaVantage => "https://www.alphavantage.co",
            Self::Tradier => "https://api.tradier.com/v1",
        }
    }
}

/// Where a service is, and its key.
#[derive(Clone, Debug)]
pub struct KeyedSettings {
    /// Which service.
    pub service: KeyedService,
    /// Scheme, host, port, and what stands before each path.
    pub base_url: String,
    /// The key; `None` when there is none anywhere.
    pub key: Option<SecretString>,
    /// Where the key came from, for a person.
    pub key_from: String,
}

impl KeyedSettings {
    /// Takes the environment of this process over what the settings files say.
    ///
    /// # Errors
    /// A key file that cannot be used; never tells a key.
    pub fn from_environment(
        service: KeyedService,
        files: &FileValues,
    ) -> Result<Self, ConfigError> {
        Self::from_lookup(service, &|name: &str| std::env::var_os(name), files)
    }

    /// As [`Self::from_environment`], with the environment as a function.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub fn from_lookup(
        service: KeyedService,
        look: &dyn Fn(&str) -> Option<OsString>,
        files: &FileValues,
    ) -> Result<Self, ConfigError> {
        let (section, variable) = (service.section(), service.variable());
        let text = look(variable).map(|value| value.to_string_lossy().trim().to_owned());
        let file = format!("{section}.api_key_file");
        let (key, key_from) = match (text.filter(|key| !key.is_empty()), files.text(&file)) {
            (Some(key), _) => (Some(key), variable.to_owned()),
            (None, Some(path)) => (Some(read_key(&expand(path, look))?), file),
            (None, None) => (None, "nowhere".to_owned()),
        };
        let base_url = files.text(&format!("{section}.base_url"));
        let base_url = base_url.unwrap_or(service.default_url()).to_owned();
        Ok(Self { service, base_url, key: key.map(SecretString::from), key_from })
    }

    /// Scheme, host and port, and what stands before each path (`/v1`, or nothing).
    pub fn place(base_url: &str) -> (String, String) {
        let start = base_url.find("://").map_or(0, |at| at + 3);
        let end = base_url[start..].find('/').map_or(base_url.len(), |at| start + at);
        let (place, path) = base_url.split_at(end);
        // A query or fragment stays where it is, and is refused with the address.
        match path.contains(['?', '#', '@']) {
            true => (base_url.to_owned(), String::new()),
            false => (place.to_owned(), path.trim_end_matches('/').to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_key_comes_from_its_variable_and_is_not_shown() {
        let read = |pairs: &[(&str, &str)]| {
            let look = |name: &str| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let service = KeyedService::AlphaVantage;
            KeyedSettings::from_lookup(service, &look, &FileValues::default()).unwrap()
        };
        let found = read(&[("ALPHA_VANTAGE_API_KEY", " canary-key ")]);
        assert_eq!(found.key.as_ref().map(|key| key.expose_secret()), Some("canary-key"));
        assert!(!format!("{found:?}").contains("canary"), "{found:?}");
        assert!(read(&[("ALPHA_VANTAGE_API_KEY", " ")]).key.is_none());
        assert!(read(&[("TRADIER_API_KEY", "x")]).key.is_none());
    }

    #[test]
    fn an_address_may_have_a_path_before_all_others() {
        for (text, place, path) in [
            ("https://api.tradier.com/v1", "https://api.tradier.com", "/v1"),
            ("https://api.tradier.com/v1/", "https://api.tradier.com", "/v1"),
            ("http://127.0.0.1:8", "http://127.0.0.1:8", ""),
            ("https://x/v1?key=1", "https://x/v1?key=1", ""),
        ] {
            assert_eq!(KeyedSettings::place(text), (place.to_owned(), path.to_owned()));
        }
    }
}
