//! How a service is reached, from flags, environment and settings files.

use super::words::{FetchArgs, ServiceArgs};
use crate::app::fetch::{CacheLimits, Pace, Provider, Resilience, ServiceOptions};
use crate::cli::error::Outcome;
use crate::config::{FileValues, KeyedService, KeyedSettings, PolygonSettings, Providers, Tuning};
use secrecy::{ExposeSecret, SecretString};

/// How a service is reached.
pub(in crate::cli) struct Reached {
    pub(in crate::cli) provider: Provider,
    /// Scheme, host and port; and what stands before each path.
    base_url: String,
    pub(in crate::cli) base_path: String,
    key: Option<SecretString>,
    /// Where the key came from, and where it may come from.
    pub(in crate::cli) key_from: String,
    pub(in crate::cli) key_hint: &'static str,
    pub(in crate::cli) pace: Pace,
    resilience: Resilience,
    jobs: usize,
}

/// The settings of every service.
pub(in crate::cli) fn providers(files: &FileValues) -> Outcome<Providers> {
    let polygon = PolygonSettings::from_environment(files)?;
    let mut keyed = Vec::new();
    for service in KeyedService::ALL {
        keyed.push(KeyedSettings::from_environment(service, files)?);
    }
    Ok(Providers { polygon, keyed })
}

/// The settings that a service other than Polygon has.
pub(in crate::cli) fn keyed(provider: Provider) -> Option<KeyedService> {
    match provider {
        Provider::Polygon => None,
        Provider::AlphaVantage => Some(KeyedService::AlphaVantage),
        Provider::Tradier => Some(KeyedService::Tradier),
    }
}

/// The service that a `fetch` would ask, if its key and settings are not Polygon's.
pub(in crate::cli) fn asks(args: &FetchArgs) -> Option<KeyedService> {
    if args.dry_run { None } else { keyed(args.provider()) }
}

/// How a service is reached without any flags.
pub(in crate::cli) fn reached(provider: Provider, files: &FileValues) -> Outcome<Reached> {
    let tuning = Tuning::of(files);
    let Some(service) = keyed(provider) else {
        let polygon = PolygonSettings::from_environment(files)?;
        return Ok(Reached {
            provider,
            base_url: polygon.base_url,
            base_path: String::new(),
            key: polygon.key,
            key_from: polygon.key_from.to_owned(),
            key_hint: "put it into MASSIVE_API_KEY (or POLYGON_API_KEY), or into a private file \
                       that config.toml names: see `volledger fetch --help`",
            pace: Pace { per_minute: polygon.requests_per_minute, ..Pace::default() },
            resilience: Resilience::default(),
            jobs: polygon.jobs,
        });
    };
    let found = KeyedSettings::from_environment(service, files)?;
    let (base_url, base_path) = KeyedSettings::place(&found.base_url);
    let jobs = tuning.whole("max_concurrent_requests") as usize;
    let (pace, jobs, key_hint) = match service {
        KeyedService::AlphaVantage => {
            let (per_minute, per_day) =
                (tuning.whole("alpha_vantage.per_minute"), tuning.whole("alpha_vantage.per_day"));
            // Free keys have one request a second as well; one at a time is never the bottleneck.
            let per_second = per_minute.div_ceil(60);
            let hint = "put it into ALPHA_VANTAGE_API_KEY, or into a private file that config.toml \
                        names: `api_key_file` in `[alpha_vantage]`";
            (Pace { per_second, per_minute, per_day, ..Pace::default() }, 1, hint)
        }
        KeyedService::Tradier => {
            let per_second = tuning.whole("tradier.per_second");
            let per_minute = tuning.whole("tradier.per_minute");
            let hint = "put it into TRADIER_API_KEY, or into a private file that config.toml \
                        names: `api_key_file` in `[tradier]`";
            (Pace { per_second, per_minute, ..Pace::default() }, jobs, hint)
        }
    };
    Ok(Reached {
        provider,
        base_url,
        base_path,
        key: found.key,
        key_from: found.key_from,
        key_hint,
        pace,
        resilience: resilience(&tuning),
        jobs,
    })
}

fn resilience(tuning: &Tuning<'_>) -> Resilience {
    Resilience {
        attempts: tuning.whole("retry.max_attempts"),
        backoff_base: tuning.number("retry.backoff_base"),
        max_backoff: tuning.seconds("retry.max_backoff"),
        failures: tuning.whole("breaker.failure_threshold"),
        recovery: tuning.seconds("breaker.recovery_timeout"),
        timeout: tuning.seconds("request_timeout"),
    }
}

/// Lifetimes of what was heard a moment ago.
pub(super) fn cache_limits(files: &FileValues) -> CacheLimits {
    let tuning = Tuning::of(files);
    let ms = |key: &str| i64::try_from(tuning.seconds(key).as_millis()).unwrap_or(i64::MAX);
    let most = tuning.whole("cache.l1_max") as usize;
    CacheLimits { first_ms: ms("cache.l1_ttl"), second_ms: ms("cache.l2_ttl"), most }
}

impl Reached {
    /// What the command says, over what the settings say.
    pub(super) fn with(mut self, args: &ServiceArgs) -> Self {
        if let Some(base_url) = &args.base_url {
            (self.base_url, self.base_path) = match self.provider {
                Provider::Polygon => (base_url.clone(), String::new()),
                _ => KeyedSettings::place(base_url),
            };
        }
        if let Some(per_minute) = args.requests_per_minute {
            self.pace.per_minute = per_minute;
            self.pace.per_second = if per_minute == 0 { 0 } else { self.pace.per_second };
        }
        if let Some(jobs) = args.jobs {
            self.jobs = usize::from(jobs);
        }
        self
    }

    /// Whether there is a key that is more than blanks.
    pub(in crate::cli) fn has_key(&self) -> bool {
        self.key.as_ref().is_some_and(|key| !key.expose_secret().trim().is_empty())
    }

    /// Requests that may go at once, before the pace of a minute holds.
    pub(super) fn at_once(&self) -> u32 {
        if self.provider == Provider::Polygon { 1 } else { self.pace.per_minute }
    }

    pub(in crate::cli) fn options(self) -> ServiceOptions {
        let Self { provider, base_url, base_path, key, pace, resilience, jobs, .. } = self;
        ServiceOptions { provider, base_url, base_path, key, pace, resilience, jobs }
    }
}
