//! The symbols that a file's rows name.

use super::SymbolFrom;
use super::text::Encoding;
use crate::domain::{Day, Symbol};
use std::collections::HashMap;

/// Spellings of symbols that are remembered; more are read again each time.
const MAX_SPELLINGS: usize = 65_536;

/// The symbols of a file, each with the day of its last accepted row.
pub(super) struct Symbols {
    pub(super) list: Vec<(Symbol, Option<Day>)>,
    known: HashMap<Symbol, usize>,
    spellings: HashMap<Box<[u8]>, usize>,
    /// Files are mostly runs of one symbol.
    last: Option<(Box<[u8]>, usize)>,
    /// Whether the one that was given is an index, of which a cell may say the name without its prefix.
    index: bool,
}

impl Symbols {
    pub(super) fn new(from: &SymbolFrom) -> Self {
        let given = match from {
            SymbolFrom::Given(symbol) => Some(symbol.clone()),
            SymbolFrom::Column => None,
        };
        let index = given.as_ref().is_some_and(Symbol::is_index);
        let known = given.iter().map(|symbol| (symbol.clone(), 0)).collect();
        let list = given.into_iter().map(|symbol| (symbol, None)).collect();
        let spellings = HashMap::new();
        Self { list, known, spellings, last: None, index }
    }

    /// The index of the symbol that a cell names.
    pub(super) fn find(&mut self, cell: &[u8], encoding: Encoding) -> Result<usize, &'static str> {
        if let Some((text, index)) = &self.last
            && **text == *cell
        {
            return Ok(*index);
        }
        let index = match self.spellings.get(cell) {
            Some(index) => *index,
            None => {
                let text = encoding.text(cell.into());
                if says_none(text.trim()) {
                    return Err("missing_symbol");
                }
                let symbol: Symbol = text.parse().map_err(|_| "invalid_symbol")?;
                let symbol = match self.index {
                    true => symbol.as_index().map_err(|_| "invalid_symbol")?,
                    false => symbol,
                };
                let next = self.list.len();
                let index = *self.known.entry(symbol.clone()).or_insert(next);
                if index == next {
                    self.list.push((symbol, None));
                }
                if self.spellings.len() < MAX_SPELLINGS {
                    self.spellings.insert(cell.into(), index);
                }
                index
            }
        };
        self.last = Some((cell.into(), index));
        Ok(index)
    }
}

/// Whether a cell for a symbol says that there is none. `NA` and `NAN` are symbols of companies and
/// funds; `nan` is what programs write for nothing.
pub(in crate::sources) fn says_none(text: &str) -> bool {
    const WORDS: [&str; 6] = ["", "-", "--", "n/a", "null", "none"];
    let word = text.strip_prefix('#').unwrap_or(text);
    WORDS.iter().any(|none| word.eq_ignore_ascii_case(none)) || matches!(text, "nan" | "NaN")
}
