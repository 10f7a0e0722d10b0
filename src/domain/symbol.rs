//! A ticker: the name under which a vendor quotes an underlying.

use std::fmt;
use std::str::FromStr;

/// Longest symbol accepted; option tickers such as `O:SPXW251219C06500000` need 21.
pub const MAX_LEN: usize = 32;

/// What the name of an index begins with.
const INDEX: &str = "I:";

/// An upper-case ticker of letters, digits and `.`, `-`, `:`, `^`, `/`, for example `BRK.B`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Box<str>);

impl Symbol {
    /// A symbol in exactly these letters: vendors tell `BRKpA` from `BRKPA`.
    ///
    /// # Errors
    /// Text that is not a symbol.
    pub fn exact(text: &str) -> Result<Self, NotASymbol> {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '^' | '/');
        let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '^');
        // `..` and a leading or trailing slash could name another place when a file is written.
        let unsafe_path = text.contains("..") || text.ends_with('/');
        if !starts || text.len() > MAX_LEN || !text.chars().all(inner) || unsafe_path {
            return Err(NotASymbol(text.trim().chars().take(40).collect()));
        }
        Ok(Self(text.into()))
    }

    /// The same name as that of an index, which services and so the ledger write with a prefix: `I:VIX`
    /// for `VIX` and for `^VIX`.
    ///
    /// # Errors
    /// A name that is too long with it.
    pub fn as_index(&self) -> Result<Self, NotASymbol> {
        match self.0.contains(':') {
            true => Ok(self.clone()),
            false => Self::exact(&format!("{INDEX}{}", self.0.trim_start_matches('^'))),
        }
    }

    /// Whether it is the name of an index.
    pub fn is_index(&self) -> bool {
        self.0.starts_with(INDEX)
    }

    /// The name without the prefix of an index.
    pub fn bare(&self) -> &str {
        self.0.strip_prefix(INDEX).unwrap_or(&self.0)
    }

    /// The symbol's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = NotASymbol;

    /// Trims, raises to upper case and checks the alphabet; the first character is a letter,
    /// a digit or `^`. The letters p, r and w after capitals stay small: so vendors mark preferred
    /// shares, rights and warrants (`BRKpA`, and `TpC`, which is another company than `TPC`). After
    /// a single capital this is so only before another one: `Tp` is somebody typing a name.
    fn from_str(text: &str) -> Result<Self, NotASymbol> {
        let text = text.trim();
        let capitals = text.chars().take_while(char::is_ascii_uppercase).count();
        let mut small = text.chars().filter(char::is_ascii_lowercase);
        let capital_follows =
            text.chars().nth(capitals + 1).is_some_and(|next| next.is_ascii_uppercase());
        let enough = capitals >= 2 || (capitals == 1 && capital_follows);
        let marked = enough && small.clone().count() == 1;
        if marked && small.all(|c| matches!(c, 'p' | 'r' | 'w')) {
            return Self::exact(text);
        }
        Self::exact(&text.to_ascii_uppercase())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is not a symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a symbol (1 to 32 letters, digits, `.`, `-`, `:`, `^`, `/`)")]
pub struct NotASymbol(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_has_one_name() {
        for text in ["vix", "^VIX", "I:VIX"] {
            let index = text.parse::<Symbol>().unwrap().as_index().unwrap();
            assert_eq!((index.as_str(), index.bare(), index.is_index()), ("I:VIX", "VIX", true));
        }
        assert_eq!("X:BTCUSD".parse::<Symbol>().unwrap().as_index().unwrap().as_str(), "X:BTCUSD");
        assert!("A".repeat(31).parse::<Symbol>().unwrap().as_index().is_err());
    }

    #[test]
    fn symbols_are_trimmed_raised_and_checked() {
        for (text, want) in [(" aapl ", "AAPL"), ("brk.b", "BRK.B"), ("I:VIX", "I:VIX")] {
            assert_eq!(text.parse::<Symbol>().unwrap().as_str(), want);
        }
        assert_eq!("BRKpA".parse::<Symbol>().unwrap().as_str(), "BRKpA");
        assert_eq!("TpC".parse::<Symbol>().unwrap().as_str(), "TpC");
        assert_eq!("Tp".parse::<Symbol>().unwrap().as_str(), "TP");
        assert_eq!("TeC".parse::<Symbol>().unwrap().as_str(), "TEC");
        assert_eq!("Aapl".parse::<Symbol>().unwrap().as_str(), "AAPL");
        for wrong in ["", " ", "A B", "../X", "A..B", ".A", "É", "A/", &"A".repeat(33)] {
            assert!(wrong.parse::<Symbol>().is_err(), "{wrong}");
        }
    }
}
