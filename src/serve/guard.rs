//! Who may ask, and what an answer may do: names of this server, same-origin posts, headers.
//!
//! A page of another site can make a browser send requests here, and a name that it owns can be
//! made to point here (DNS rebinding). So a request must call the server by one of its names, and a
//! post must come from a page of this very server.

use super::Site;
use super::trouble::Trouble;
use super::words::Lang;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// Nothing but what this server serves; no script and no style in a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers then send a post's origin as `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// A host without its port: `[::1]:80` is `::1`.
fn name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.split(':').next().unwrap_or(host)
}

/// A further name for the server, as `--allow-host` takes it: a host's name or its address, as it stands in a
/// page's address before the port.
///
/// # Errors
/// Why it can be no such name.
pub fn host(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return match ip.is_unspecified() {
            true => Err("no page has this address; name the one that browsers use".to_owned()),
            false => Ok(bare.to_owned()),
        };
    }
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let labels =
        |text: &str| text.split('.').all(|part| !part.is_empty() && part.chars().all(sound));
    match text.len() <= 253 && labels(text) {
        true => Ok(text.to_owned()),
        false => {
            Err("a name as in `desk.lan`, or an address, without `http://` and port".to_owned())
        }
    }
}

/// Whether a host is this server by a name that nobody else can own.
fn is_ours(host: &str, address: IpAddr, hosts: &[String]) -> bool {
    let name = name(host);
    match name.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => false,
        Ok(ip) => {
            ip.is_loopback() || ip == address || hosts.iter().any(|host| host.parse() == Ok(ip))
        }
        Err(_) => {
            name.eq_ignore_ascii_case("localhost")
                || hosts.iter().any(|host| name.eq_ignore_ascii_case(host))
        }
    }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Why a request is refused, if it is.
fn refusal(site: &Site, request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    let ours = |host: &str| is_ours(host, site.options.address.ip(), &site.options.hosts);
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none());
    let Some(host) = host.filter(|host| ours(host)) else {
        return Some("this server does not go by that name (see --allow-host)");
    };
    if request.uri().authority().is_some_and(|named| named.as_str() != host) {
        return Some("the address and the host of the request differ");
    }
    let site = text(headers, "sec-fetch-site");
    let navigates = text(headers, "sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    if site == Some("cross-site") && !navigates {
        return Some("a page of another site asked");
    }
    if request.method() == Method::POST {
        let origin = text(headers, header::ORIGIN);
        if origin != Some(&format!("http://{host}")) {
            return Some("a page of another site sent this");
        }
        if site.is_some_and(|site| site != "same-origin") {
            return Some("a page of another site sent this");
        }
    }
    None
}

/// The language of an answer, and the one that its address asks for: that one stays.
fn language(site: &Site, request: &Request) -> (Lang, Option<Lang>) {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    let asked = pairs.filter_map(|pair| pair.strip_prefix("lang=")).find_map(Lang::of);
    let cookies = text(request.headers(), header::COOKIE).unwrap_or_default().split(';');
    let kept = cookies.filter_map(|pair| pair.trim().strip_prefix("lang=")).find_map(Lang::of);
    (asked.or(kept).unwrap_or(site.options.lang), asked)
}

/// Lets a request pass or refuses it; every answer gets its headers.
pub(super) async fn watch(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let json = request.uri().path().ends_with(".json");
    let refused = match *request.method() {
        Method::GET | Method::HEAD | Method::POST => refusal(&site, &request),
        _ => Some("this server takes GET and POST"),
    };
    let mut response = match refused {
        // Whoever is refused learns that and nothing of the ledger: a page of ours names its place.
        Some(why) if !json => {
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::FORBIDDEN, text, format!("volledger: {why}\n")).into_response()
        }
        Some(why) => Trouble::forbidden(why).answer(&site, json).into_response(),
        None => {
            let (lang, asked) = language(&site, &request);
            let mut response = lang.spoken(next.run(request)).await;
            if let Some(asked) = asked {
                // Nothing but a language: it needs no protection and gives none.
                let cookie = HeaderValue::from_static(match asked {
                    Lang::En => "lang=en; Path=/; SameSite=Strict; Max-Age=31536000",
                    Lang::Nl => "lang=nl; Path=/; SameSite=Strict; Max-Age=31536000",
                });
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_else_can_own_are_ours() {
        let (home, hosts) = ("127.0.0.1".parse().unwrap(), vec!["desk.lan".to_owned()]);
        for (host, ours) in [
            ("localhost:7878", true),
            ("LOCALHOST", true),
            ("127.0.0.1:1", true),
            ("127.0.0.2", true),
            ("[::1]:7878", true),
            ("desk.lan:7878", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("", false),
            ("[::1", true),
            ("user@localhost", false),
        ] {
            assert_eq!(is_ours(host, home, &hosts), ours, "{host}");
        }
        let lan: IpAddr = "10.0.0.1".parse().unwrap();
        assert!(is_ours("10.0.0.1:80", lan, &[]) && !is_ours("10.0.0.2:80", lan, &[]));
        let any: IpAddr = "0.0.0.0".parse().unwrap();
        assert!(!is_ours("0.0.0.0", any, &[]));
        let named = ["10.1.2.3", "FE80:0::1"].map(|text| host(text).unwrap());
        for (host, ours) in
            [("10.1.2.3:80", true), ("[fe80::1]:80", true), ("10.1.2.4", false), ("0.0.0.0", false)]
        {
            assert_eq!(is_ours(host, any, &named), ours, "{host}");
        }
    }

    #[test]
    fn a_further_name_is_a_name_and_nothing_else() {
        for text in ["desk.lan", "desk", "a-b_c.lan", "10.1.2.3", "::1"] {
            assert_eq!(host(text).as_deref(), Ok(text));
        }
        assert_eq!(host("[fe80::1]").as_deref(), Ok("fe80::1"));
        for text in [
            "",
            "a b",
            "desk.lan:80",
            "*",
            "*.lan",
            "http://desk.lan",
            "desk..lan",
            "0.0.0.0",
            "::",
            "[desk]",
        ] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
