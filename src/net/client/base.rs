//! The one place that is asked: its address, and which other addresses mean the same place.

use super::NetError;
use crate::net::said;
use reqwest::Url;
use std::net::IpAddr;

/// Names of the vendor. A `next_url` may carry either, whatever base was asked.
const VENDOR: [&str; 2] = ["api.massive.com", "api.polygon.io"];

/// Scheme, host and port; every request goes there and nowhere else.
#[derive(Clone, Debug)]
pub(super) struct Base(Url);

impl Base {
    /// Takes `https://host[:port]`, or `http://` for this machine.
    pub(super) fn parse(text: &str, key: &str) -> Result<Self, NetError> {
        let not_one = || NetError::BaseUrl(shown(text, key));
        let url = Url::parse(text).map_err(|_| not_one())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(not_one());
        }
        let base = Self(url);
        if !base.is_secure() && !base.is_this_machine() {
            return Err(NetError::InClear(shown(text, key)));
        }
        Ok(base)
    }

    /// Whether requests are encrypted.
    pub(super) fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    fn is_this_machine(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The host, with the port when it is not the usual one.
    pub(super) fn host(&self) -> String {
        host_of(&self.0)
    }

    /// The address of `target`.
    pub(super) fn url(&self, target: &str) -> Result<Url, String> {
        let odd = || "a request must be a path on the service, such as /v2/aggs".to_owned();
        // Without the slash `.evil.example` or `@evil.example` would become part of the host.
        if !target.starts_with('/') {
            return Err(odd());
        }
        let start = self.0.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{start}{target}")).map_err(|_| odd())?;
        url.set_fragment(None);
        if self.is_same_place(&url) { Ok(url) } else { Err(odd()) }
    }

    /// The path and query of an absolute `next_url`; see [`super::Client::target_of`].
    pub(super) fn target_of(&self, next_url: &str) -> Result<String, String> {
        // `//host/path` starts with a slash and yet names a host.
        let starts_with_host = next_url.starts_with("//") || next_url.starts_with("/\\");
        if next_url.starts_with('/') && !starts_with_host {
            return Ok(without_key(next_url));
        }
        let parsed = if starts_with_host { self.0.join(next_url) } else { Url::parse(next_url) };
        let url = parsed.map_err(|_| "the address of the next page is not one".to_owned())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("the next page has an address of the kind `{}:`", url.scheme()));
        }
        let same = url.host_str() == self.0.host_str() && url.port() == self.0.port();
        let vendor =
            url.port().is_none() && url.host_str().is_some_and(|host| VENDOR.contains(&host));
        if !same && !vendor {
            return Err(format!(
                "the next page is on `{}` and not on `{}`: it is not asked, the key would go there",
                host_of(&url),
                self.host()
            ));
        }
        Ok(target(&url))
    }

    /// Where a redirect leads, when that is this place again.
    pub(super) fn follow(&self, from: &str, location: &str) -> Result<String, String> {
        let url = self
            .url(from)?
            .join(location)
            .map_err(|_| "the service redirects to something that is not an address".to_owned())?;
        if self.is_same_place(&url) {
            return Ok(target(&url));
        }
        let scheme = url.scheme();
        Err(format!(
            "the service redirects to `{scheme}://{}`: not followed, the key would go there",
            host_of(&url)
        ))
    }

    fn is_same_place(&self, url: &Url) -> bool {
        url.scheme() == self.0.scheme()
            && url.host_str() == self.0.host_str()
            && url.port() == self.0.port()
    }
}

/// A base URL as a person may see it: without the key, and without what stands before an `@`.
pub(super) fn shown(text: &str, key: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (before, rest) = text.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let without_user = match rest[..end].rfind('@') {
        Some(at) => format!("{before}****{}", &rest[at..]),
        None => text.to_owned(),
    };
    said::clean(&without_user, key)
}

/// Host and port; a user's name and password are left out.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn target(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    without_key(&format!("{}{query}", url.path()))
}

/// Leaves out `apiKey`; every other parameter keeps its place and its bytes.
fn without_key(target: &str) -> String {
    let Some((path, rest)) = target.split_once('?') else { return target.to_owned() };
    let (query, fragment) = match rest.find('#') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let is_key = |pair: &&str| {
        pair.split('=').next().is_some_and(|name| decoded(name).eq_ignore_ascii_case("apikey"))
    };
    if !query.split('&').any(|pair| is_key(&pair)) {
        return target.to_owned();
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_key(pair)).collect();
    match kept.is_empty() {
        true => format!("{path}{fragment}"),
        false => format!("{path}?{}{fragment}", kept.join("&")),
    }
}

/// A parameter's name: `api%4Bey` is `apiKey` too.
fn decoded(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (byte, escaped) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::parse(text, "").unwrap()
    }

    #[test]
    fn bases_that_are_taken() {
        for (text, host) in [
            ("https://api.massive.com", "api.massive.com"),
            ("https://API.massive.com:443/", "api.massive.com"),
            ("https://proxy.example:8443", "proxy.example:8443"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:8080/", "localhost:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(base(text).host(), host, "{text}");
        }
    }

    #[test]
    fn bases_that_are_refused() {
        for text in [
            "",
            "api.massive.com",
            "/v2",
            "ftp://api.massive.com",
            "file:///etc/passwd",
            "https://",
            "https://api.massive.com/v2",
            "https://api.massive.com?apiKey=x",
            "https://api.massive.com/#x",
            "https://user@api.massive.com",
            "https://user:word@api.massive.com",
        ] {
            let refused = Base::parse(text, "").unwrap_err();
            assert!(matches!(refused, NetError::BaseUrl(_)), "{text}: {refused}");
        }
        for text in ["http://api.massive.com", "http://localhost.evil.example", "http://10.0.0.1"] {
            let refused = Base::parse(text, "").unwrap_err();
            assert!(matches!(refused, NetError::InClear(_)), "{text}: {refused}");
            assert!(refused.to_string().contains("https"), "{refused}");
        }
    }

    #[test]
    fn a_refused_base_does_not_tell_the_key() {
        for text in [
            "https://CANARY-KEY@api.massive.com",
            "https://me:CANARY-KEY@api.massive.com/x",
            "https://api.massive.com?apiKey=CANARY-KEY",
            "https://api.massive.com/CANARY-KEY",
            "http://api.massive.com:80/?apiKey=CANARY-KEY",
        ] {
            let refused = Base::parse(text, "CANARY-KEY").unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("CANARY"), "{refused}");
        }
        // Even when it is not the configured key.
        let refused = Base::parse("https://me:CANARY-KEY@api.massive.com", "").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`https://****@api.massive.com` is not a base URL such as https://api.massive.com"
        );
    }

    #[test]
    fn next_pages_of_the_base_and_of_the_vendor() {
        let base = base("http://127.0.0.1:8080");
        for (next, target) in [
            ("http://127.0.0.1:8080/v2/x?cursor=YXA9MQ", "/v2/x?cursor=YXA9MQ"),
            ("https://127.0.0.1:8080/v2/x", "/v2/x"),
            ("https://api.polygon.io/v3/a/O:SPY?cursor=a%3D%3D", "/v3/a/O:SPY?cursor=a%3D%3D"),
            ("https://api.massive.com/v3?cursor=c&apiKey=K", "/v3?cursor=c"),
            ("https://API.MASSIVE.COM:443/v3?apikey=K&cursor=c#f", "/v3?cursor=c"),
            ("https://api.massive.com/v3?api%4Bey=K", "/v3"),
            ("https://api.massive.com", "/"),
            ("/v3/x?b=2&a=1", "/v3/x?b=2&a=1"),
            ("/v3/x?b=2&apiKey=K&a=1", "/v3/x?b=2&a=1"),
        ] {
            assert_eq!(base.target_of(next).as_deref(), Ok(target), "{next}");
        }
    }

    #[test]
    fn next_pages_elsewhere_are_refused_and_named() {
        let base = base("https://api.massive.com");
        for (next, host) in [
            ("https://evil.example/v2?cursor=c", "evil.example"),
            ("https://api.massive.com.evil.example/v2", "api.massive.com.evil.example"),
            ("https://api.massive.com@evil.example/v2", "evil.example"),
            ("https://api.massive.com:8443/v2", "api.massive.com:8443"),
            ("//evil.example/v2", "evil.example"),
            ("/\\evil.example/v2", "evil.example"),
            ("https:\\\\evil.example\\v2", "evil.example"),
        ] {
            let refused = base.target_of(next).unwrap_err();
            assert!(refused.contains(&format!("`{host}`")), "{next}: {refused}");
        }
        for next in ["", "v2/x", "?cursor=c", "javascript:alert(1)", "ftp://api.massive.com/x"] {
            assert!(base.target_of(next).is_err(), "{next}");
        }
    }

    #[test]
    fn a_target_cannot_change_the_host() {
        let base = base("https://api.massive.com");
        for target in ["@evil.example/", ".evil.example/", ":1@evil.example", "", "x", "?a=1"] {
            assert!(base.url(target).is_err(), "{target}");
        }
        for target in ["//evil.example/x", "/\\evil.example/x", "/x?y=http://evil.example"] {
            assert_eq!(base.url(target).unwrap().host_str(), Some("api.massive.com"), "{target}");
        }
    }

    #[test]
    fn redirects_stay_on_the_place() {
        let base = base("https://api.massive.com");
        for (location, target) in [
            ("/b?c=1", "/b?c=1"),
            ("c", "/v2/c"),
            ("https://api.massive.com/b?apiKey=K", "/b"),
            ("https://api.massive.com:443/b", "/b"),
        ] {
            assert_eq!(base.follow("/v2/a", location).as_deref(), Ok(target), "{location}");
        }
        for location in [
            "http://api.massive.com/b",
            "https://evil.example/b",
            "//evil.example/b",
            "https://api.polygon.io/b",
            "https://api.massive.com:8443/b",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(base.follow("/v2/a", location).is_err(), "{location}");
        }
    }
}
