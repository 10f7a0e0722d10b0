//! Texts that leave this module: what the service said, short, on one line and without the key.

use serde_json::Value;

/// Longest text, in characters.
const LONGEST: usize = 300;

/// What stands in the place of a key.
const HIDDEN: &str = "****";

/// A key shorter than this is a typing error, and any body might contain it by chance.
const SHORTEST_KEY: usize = 8;

/// `text` with `****` in the place of the key (as it is, or percent-encoded, in any case: a host's
/// name comes back in lower case), and of whatever an `apiKey` parameter carries.
pub fn redact(text: &str, key: &str) -> String {
    const NAME: &str = "apiKey=";
    let mut text = text.to_owned();
    for form in forms(key) {
        text = hide(&text, &form, |_| (0, form.len()));
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '\'' | '`' | '<');
    // The parameter's name stays; its value goes, whoever's key it is.
    hide(&text, NAME, |found| {
        let value = found.split_at(NAME.len()).1;
        (NAME.len(), NAME.len() + value.find(ends).unwrap_or(value.len()))
    })
}

/// Puts `****` wherever `word` is found, in any case. `which` sees the text from there on and
/// says from where to where it is hidden.
fn hide(text: &str, word: &str, which: impl Fn(&str) -> (usize, usize)) -> String {
    // In lower case of ASCII letters only, both texts have the same positions.
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = lower[done..].find(&word) {
        let (from, to) = which(&text[done + at..]);
        out.push_str(&text[done..done + at + from]);
        out.push_str(HIDDEN);
        done += at + to;
    }
    out.push_str(&text[done..]);
    out
}

/// The ways a key may be written, the encoded one first: the key may be part of it.
fn forms(key: &str) -> Vec<String> {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    let mut forms = vec![key.bytes().map(byte).collect::<String>(), key.to_owned()];
    forms.retain(|form| !form.is_empty());
    forms.dedup();
    forms
}

/// Escapes within escapes that are looked through; JSON inside a text of JSON has two.
const MOST_LAYERS: usize = 4;

/// Whether bytes of the service hold the key: as it is, percent-encoded, or with characters written
/// as JSON may write them (`\u0041`, `\/`), since whoever reads the body sees the key again.
pub(super) fn holds_key(bytes: &[u8], key: &str) -> bool {
    if key.len() < SHORTEST_KEY {
        return false;
    }
    let found = |bytes: &[u8]| {
        forms(key).iter().any(|form| match std::str::from_utf8(bytes) {
            // The search in text is the faster one.
            Ok(text) => text.contains(form.as_str()),
            Err(_) => bytes.windows(form.len()).any(|window| window == form.as_bytes()),
        })
    };
    if found(bytes) {
        return true;
    }
    let mut plain = unescaped(bytes);
    for _ in 1..MOST_LAYERS {
        match &plain {
            None => return false,
            Some(text) if found(text) => return true,
            Some(text) => plain = unescaped(text),
        }
    }
    plain.is_some_and(|text| found(&text))
}

/// Bytes with one layer of escapes taken off, JSON's and percent's; `None` when there are none. A key
/// is of ASCII, so other characters may become anything that is none.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.iter().any(|byte| matches!(byte, b'\\' | b'%')) {
        return None;
    }
    let hex = |digits: Option<&[u8]>| {
        let text = std::str::from_utf8(digits?).ok()?;
        let all = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(text, 16).ok())?
    };
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut changed) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        let (plain, length) = match (byte, next) {
            (b'\\', Some(b'u')) => match hex(bytes.get(at + 2..at + 6)) {
                Some(code) => (u8::try_from(code).unwrap_or(b'?'), 6),
                None => (*byte, 1),
            },
            (b'\\', Some(b'n' | b'r' | b't' | b'b' | b'f')) => (b' ', 2),
            (b'\\', Some(plain)) => (*plain, 2),
            (b'%', _) => match hex(bytes.get(at + 1..at + 3)) {
                Some(code) => (u8::try_from(code).unwrap_or(b'?'), 3),
                None => (*byte, 1),
            },
            _ => (*byte, 1),
        };
        changed |= length > 1;
        out.push(plain);
        at += length;
    }
    changed.then_some(out)
}

/// `text` for a person: one line, without the key, and not too long.
pub(super) fn clean(text: &str, key: &str) -> String {
    // Control characters go first, else they could hide a key from the search; the end is cut
    // last, else a part of a key could be left. U+202E and its like turn the text around.
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let spaced: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
        .filter(|&c| !odd(c))
        .collect();
    let hidden = redact(spaced.trim(), key);
    match hidden.char_indices().nth(LONGEST) {
        None => hidden,
        Some((end, _)) => format!("{}…", hidden[..end].trim_end()),
    }
}

/// What an answer that is no 200 says: its `error` or `message`, or else what it looks like.
pub(super) fn said(status: u16, content_type: &str, body: &[u8]) -> String {
    let spoken = match serde_json::from_slice::<Value>(body) {
        Ok(json) => of_json(&json),
        Err(_) if content_type.starts_with("text/plain") => {
            Some(String::from_utf8_lossy(body).trim().to_owned()).filter(|text| !text.is_empty())
        }
        Err(_) => None,
    };
    let page = || {
        content_type.contains("html") || body.trim_ascii_start().first().is_some_and(|&b| b == b'<')
    };
    match spoken {
        Some(text) => text,
        None if page() => format!("the service answered {status} with a page and not with data"),
        None => format!("the service answered {status} and did not say why"),
    }
}

fn of_json(json: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::trim).map(str::to_owned);
    let found = |name: &str| {
        let value = json.get(name)?;
        // Some gateways answer `{"error": {"message": "…"}}`.
        text(value).or_else(|| value.get("message").and_then(text)).filter(|text| !text.is_empty())
    };
    found("error").or_else(|| found("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "CANARY-k3y/Zz+9=";

    #[test]
    fn the_key_is_hidden_in_each_of_its_forms() {
        for form in [KEY, "CANARY-k3y%2FZz%2B9%3D", "CANARY-k3y%2fZz%2b9%3d", "canary-K3Y/zZ+9="] {
            assert_eq!(redact(&format!("a {form} b {form}"), KEY), "a **** b ****");
        }
        assert_eq!(redact("nothing here", KEY), "nothing here");
        assert_eq!(redact("no key", ""), "no key");
    }

    #[test]
    fn parameters_are_hidden_even_when_they_hold_another_key() {
        let text = "see https://x/y?a=1&apiKey=other&b=2 or `?APIKEY=third` é";
        let hidden = "see https://x/y?a=1&apiKey=****&b=2 or `?APIKEY=****` é";
        assert_eq!(redact(text, KEY), hidden);
        assert_eq!(redact("apiKey=", ""), "apiKey=****");
    }

    #[test]
    fn a_text_is_one_short_line() {
        assert_eq!(clean(" a\nb\u{1b}[31m\u{0} ", ""), "a b[31m");
        assert_eq!(clean("CANARY\u{0}-k3y\u{202e}/Zz+9=", KEY), "****");
        // Cut only after the key is hidden.
        let long = format!("{}{KEY}{}", "é".repeat(295), "x".repeat(50));
        assert_eq!(clean(&long, KEY), format!("{}****x…", "é".repeat(295)));
        assert_eq!(clean(&"é".repeat(300), KEY), "é".repeat(300));
    }

    #[test]
    fn bytes_that_hold_the_key_are_found() {
        assert!(holds_key(format!("{{\"k\":\"{KEY}\"}}").as_bytes(), KEY));
        assert!(holds_key(&[&[0xff, 0xfe], KEY.as_bytes()].concat(), KEY));
        assert!(!holds_key(b"nothing", KEY));
        // As JSON may write it, also within a text of JSON, and percent-encoded in small letters.
        let parts = [
            r#"{"k":"\u0043ANARY-k3y/Zz+9="}"#,
            r#"{"k":"CANARY-k3y\/Zz\u002B9="}"#,
            r#"{"k":"{\"k\":\"CANARY-k3y\\/Zz\\u002b9=\"}"}"#,
            "x?k=CANARY-k3y%2fZz%2b9%3d",
            "x?k=CANARY%252Dk3y%252fZz%252b9%253d",
        ];
        for part in parts {
            assert!(holds_key(part.as_bytes(), KEY), "{part}");
        }
        for part in [r"\u00", r"\", "%", "%4", r"\u004", "100 % of \\ it", "%C3%A9 é \\u00e9"] {
            assert!(!holds_key(part.as_bytes(), KEY), "{part}");
        }
        assert!(!holds_key(b"AAPL", "AAPL"), "too short to mean anything");
        assert!(!holds_key(b"nothing", ""));
    }

    #[test]
    fn what_the_service_says() {
        let cases: &[(u16, &str, &str, &str)] = &[
            (401, "", r#"{"status":"ERROR","error":"Unknown API Key"}"#, "Unknown API Key"),
            (404, "", r#"{"status":"NOT_FOUND","message":"Data not found."}"#, "Data not found."),
            (400, "", r#"{"error":"","message":"m"}"#, "m"),
            (400, "", r#"{"error":{"message":"deep"}}"#, "deep"),
            (502, "text/html", "<html>", "the service answered 502 with a page and not with data"),
            (502, "", "  <!doctype", "the service answered 502 with a page and not with data"),
            (503, "text/plain; charset=utf-8", "busy\n", "busy"),
            (503, "", "", "the service answered 503 and did not say why"),
            (500, "application/json", "[1]", "the service answered 500 and did not say why"),
        ];
        for (status, content_type, body, text) in cases {
            assert_eq!(said(*status, content_type, body.as_bytes()), *text);
        }
    }
}
