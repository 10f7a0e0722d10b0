//! Symbols as names of files, so that each name is one symbol's and can be read back.

use crate::domain::Symbol;

/// How files end that hold records of a symbol.
pub const ENDING: &str = ".json";

/// What no file system takes for anything else, on Linux, macOS and Windows. Small letters are not
/// among them: where names differ only in case, `BRKpA` and `BRKPA` would be one file.
fn is_plain(letter: u8) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || b".-^".contains(&letter)
}

/// The name of a symbol's file without its ending: the symbol itself, with every other letter as
/// `%` and two digits, `BRK%2FB`.
pub fn stem_of(symbol: &Symbol) -> String {
    let mut name = String::new();
    for letter in symbol.as_str().bytes() {
        match is_plain(letter) {
            true => name.push(char::from(letter)),
            false => name.push_str(&format!("%{letter:02X}")),
        }
    }
    name
}

/// The name of a symbol's file.
pub fn file_name(symbol: &Symbol) -> String {
    stem_of(symbol) + ENDING
}

/// The symbol that a file's name without its ending says, or why it says none.
pub(super) fn symbol_of(stem: &str) -> Result<Symbol, String> {
    if stem.contains('%') {
        let symbol = decoded(stem).filter(|symbol| stem_of(symbol) == stem);
        return symbol.ok_or_else(|| format!("no symbol has the name `{stem}`"));
    }
    let error = match stem.parse::<Symbol>() {
        Ok(symbol) => return Ok(symbol),
        Err(error) => error,
    };
    if stem.starts_with("temp_") {
        return Err("such a name is left by a write that did not end".to_owned());
    }
    // Earlier versions wrote `_` for three letters, so what was meant is not in the name.
    let meant = [":", "/", "^"].map(|letter| stem.replace('_', letter).parse::<Symbol>());
    let meant: Vec<String> = meant.iter().flatten().map(file_name).collect();
    match stem.contains('_') && !meant.is_empty() {
        true => Err(format!(
            "which symbol it is about cannot be known from its name, since earlier versions of \
             volledger wrote `_` for `:`, `/` and `^`; rename it to what it is: {}",
            meant.join(", ")
        )),
        false => Err(error.to_string()),
    }
}

/// A name with its `%2F` as letters.
fn decoded(stem: &str) -> Option<Symbol> {
    let mut parts = stem.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let letter = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        text.push(char::from(letter));
        text.push_str(part.get(2..)?);
    }
    Symbol::exact(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_tomic_writes_are_the_symbols_themselves() {
        for (symbol, name) in [
            ("AAPL", "AAPL.json"),
            ("BRK.B", "BRK.B.json"),
            ("BF-B", "BF-B.json"),
            ("^VIX", "^VIX.json"),
            ("BRK/B", "BRK%2FB.json"),
            ("I:VIX", "I%3AVIX.json"),
            ("BRKpA", "BRK%70A.json"),
        ] {
            assert_eq!(file_name(&Symbol::exact(symbol).unwrap()), name);
        }
        assert_eq!(symbol_of("aapl").unwrap().as_str(), "AAPL");
        assert_eq!(symbol_of("BRKpA").unwrap().as_str(), "BRKpA");
    }

    #[test]
    fn a_name_that_export_would_not_write_says_no_symbol() {
        // Not ours: a letter that needs no digits, small digits, digits that are cut off or none.
        for wrong in ["%41APL", "BRK%2fB", "BRK%2", "BRK%", "BRK%+FB", "%", "A%C3%A9"] {
            assert!(symbol_of(wrong).is_err(), "{wrong}");
        }
        let told = symbol_of("_VIX").unwrap_err();
        assert!(told.contains("cannot be known") && told.ends_with(": ^VIX.json"), "{told}");
        let told = symbol_of("BRK_B").unwrap_err();
        assert!(told.ends_with(": BRK%3AB.json, BRK%2FB.json, BRK^B.json"), "{told}");
        assert!(symbol_of("temp_AAPL").unwrap_err().contains("a write that did not end"));
        assert!(symbol_of("A B").unwrap_err().contains("is not a symbol"));
    }

    proptest! {
        #[test]
        fn every_symbol_comes_back_and_no_two_have_one_name(
            texts in proptest::collection::vec("[A-Za-z0-9^][A-Za-z0-9.:^/-]{0,6}", 2)
        ) {
            let symbols: Vec<_> = texts.iter().flat_map(|text| Symbol::exact(text)).collect();
            for symbol in &symbols {
                prop_assert_eq!(&symbol_of(&stem_of(symbol)).unwrap(), symbol);
            }
            if let [one, other] = symbols.as_slice() {
                let same = stem_of(one).eq_ignore_ascii_case(&stem_of(other));
                prop_assert_eq!(same, one == other);
            }
        }
    }
}
