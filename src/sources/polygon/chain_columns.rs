//! The columns of option-chain tables: which is the key, which is what field.

use crate::domain::series::{FieldDef, Unit, field, free_name};
use crate::domain::{Field, Series};

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The contract's ticker.
    Contract,
    /// The day of the row.
    Date,
    /// Days to expiry: a field, and a witness of the day.
    Dte(Field),
    /// The underlying: a field, and the symbol.
    Symbol(Field),
    /// Any other field.
    Field(Field),
}

/// Names of the column with the contract's ticker.
const CONTRACT: [&str; 5] =
    ["option_symbol", "ticker", "contract", "option_ticker", "contract_symbol"];
/// Names of a column with the day.
const DATE: [&str; 4] = ["date", "quote_date", "trade_date", "as_of"];
/// Names of the column with the underlying.
const SYMBOL: [&str; 4] = ["underlying", "underlying_ticker", "underlying_symbol", "root"];

/// The implied volatility, a fraction.
pub(super) const IV: u16 = 100;
const UNDERLYING: u16 = 132;
pub(super) const STRIKE: u16 = 138;
pub(super) const EXPIRY: u16 = 139;
pub(super) const TYPE: u16 = 140;
/// The time of the quote and that of the last trade.
pub(super) const TIMES: [u16; 2] = [113, 119];

/// What tables call the fields of the view, where it is not the field's own name.
const ALIASES: [(&str, u16); 28] = [
    ("iv", 100),
    ("oi", 101),
    ("mid", 110),
    ("quote_last_updated", 113),
    ("price", 115),
    ("last", 115),
    ("size", 116),
    ("exchange", 117),
    ("conditions", 118),
    ("sip_timestamp", 119),
    ("day_open", 121),
    ("day_high", 122),
    ("day_low", 123),
    ("day_close", 124),
    ("day_volume", 125),
    ("day_vwap", 126),
    ("day_change", 127),
    ("day_change_percent", 128),
    // The vendor's tool writes `day.last_updated` so, and the trade's time as `sip_timestamp`.
    ("last_updated", 130),
    ("day_last_updated", 130),
    ("underlying_last_updated", 133),
    ("break_even", 137),
    ("strike", STRIKE),
    ("expiration", EXPIRY),
    ("expiry", EXPIRY),
    ("type", TYPE),
    ("option_type", TYPE),
    ("right", TYPE),
];

/// What a table of a chain has some of.
const CHAIN_LIKE: [u16; 6] = [100, 101, 102, 106, 107, STRIKE];

/// A column's name in its normal spelling.
pub(super) fn normal(cell: &[u8]) -> String {
    let name = String::from_utf8_lossy(cell);
    name.trim_start_matches('\u{feff}').trim().to_lowercase().replace([' ', '-'], "_")
}

/// Whether two names are one: `contractSymbol` is `contract_symbol`.
fn same(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.replace('_', "");
    letters(one) == letters(other)
}

fn code_of(name: &str) -> Option<u16> {
    let alias = ALIASES.iter().find(|(alias, _)| same(alias, name)).map(|(_, code)| *code);
    alias.or_else(|| {
        Series::Chain.fields().find(|field| same(field.name, name)).map(|field| field.code)
    })
}

/// Whether columns of these names make a table of a chain.
pub(super) fn is_chain(names: &[String]) -> bool {
    let some = names.iter().filter_map(|name| code_of(name));
    names.iter().any(|name| CONTRACT.iter().any(|known| same(known, name)))
        && some.filter(|code| CHAIN_LIKE.contains(code)).count() >= 2
}

/// What a table of a chain needs, for a person.
pub(super) fn needed() -> String {
    let values = CHAIN_LIKE.iter().filter_map(|code| Some(field(*code)?.name));
    format!(
        "a column for the contract, one of {}, and two of {}",
        CONTRACT.join(", "),
        values.collect::<Vec<_>>().join(", ")
    )
}

/// The columns of one table.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) roles: Vec<Role>,
    /// Columns that are no field of the view, in their normal spelling.
    pub(super) unknown: Vec<String>,
}

impl Columns {
    /// Finds each column by its name.
    pub(super) fn of(names: &[String]) -> Self {
        let (mut roles, mut unknown): (Vec<Role>, Vec<String>) = (Vec::new(), Vec::new());
        let first = |list: &[&str]| {
            let place = |name: &&str| names.iter().position(|known| same(known, name));
            list.iter().find_map(place)
        };
        let (contract, date, symbol) = (first(&CONTRACT), first(&DATE), first(&SYMBOL));
        let mut taken: Vec<Field> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            if contract == Some(at) || date == Some(at) {
                roles.push(if contract == Some(at) { Role::Contract } else { Role::Date });
                continue;
            }
            let code = if symbol == Some(at) { Some(UNDERLYING) } else { code_of(name) };
            let named = || Field::Named(free_name(Series::Chain, name));
            let field = code.map_or_else(named, Field::Known);
            // Two columns of one meaning: the later one keeps its own name.
            let free = !name.is_empty() && !taken.contains(&field);
            let field = match free {
                true => field,
                false => Field::Named(format!("{name} (column {})", at + 1).trim_start().into()),
            };
            taken.push(field.clone());
            roles.push(match name.as_str() {
                _ if symbol == Some(at) => Role::Symbol(field),
                "dte" => Role::Dte(field),
                _ => {
                    if matches!(field, Field::Named(_)) {
                        unknown.push(name.clone());
                    }
                    Role::Field(field)
                }
            });
        }
        Self { roles, unknown }
    }

    /// Whether a column has this role.
    pub(super) fn has(&self, wanted: impl Fn(&Role) -> bool) -> bool {
        self.roles.iter().any(wanted)
    }
}

/// Whether the values of a field are numbers.
pub(super) fn is_numeric(wanted: &Field) -> bool {
    let Field::Known(code) = wanted else { return false };
    field(*code).is_some_and(|def: &FieldDef| !matches!(def.unit, Unit::Text | Unit::Time))
}
