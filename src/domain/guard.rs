//! Texts in files that spreadsheets open: none may become a formula there.
//!
//! A text that begins as a formula does gets an apostrophe before it, the sign of spreadsheets for
//! "this is a text", and so does one that begins with apostrophes before such a sign: then taking
//! one away gives back every text. Numbers are left alone, also where they stand as text.

use std::borrow::Cow;

/// Whether a spreadsheet would compute something from a text, or would after an apostrophe is gone.
fn begins_formula(text: &str) -> bool {
    let rest = text.trim_start_matches('\'');
    rest.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err()
}

/// A text as it may stand in a file that a spreadsheet opens.
pub fn guarded(text: &str) -> Cow<'_, str> {
    match begins_formula(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// The text that [`guarded`] was given.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if begins_formula(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_texts_and_numbers_numbers() {
        for (text, want) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+x", "'+x"),
            ("-x", "'-x"),
            ("\tx", "'\tx"),
            ("\r=1", "'\r=1"),
            ("-1.5", "-1.5"),
            ("+2e3", "+2e3"),
            ("-1+1", "'-1+1"),
            ("'=1", "''=1"),
            ("'a", "'a"),
            ("a=1", "a=1"),
            ("", ""),
            ("-", "'-"),
        ] {
            assert_eq!(guarded(text), want);
            assert_eq!(unguarded(want), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+@\\-\t\r0-9a-e.]{0,6}") {
            let kept = guarded(&text);
            prop_assert_eq!(unguarded(&kept), &text);
            let harmless = !kept.starts_with(['=', '+', '-', '@', '\t', '\r']);
            prop_assert!(harmless || kept.parse::<f64>().is_ok());
        }
    }
}
