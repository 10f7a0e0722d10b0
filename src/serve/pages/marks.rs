//! The bytes of a row in pieces: those that hold one of its values are marked.

use crate::app::report::EventLine;
use maud::{Markup, html};
use serde_json::Value as Json;

/// A piece of text, and whether it holds a value.
type Piece<'a> = (&'a str, bool);

/// The bytes of a row; what holds one of its values is marked.
pub(super) fn marked(event: &EventLine) -> Markup {
    let wanted: Vec<f64> = event.values.values().filter_map(Json::as_f64).collect();
    html! { @for (text, is) in pieces(&event.raw, &wanted) {
        @if is { mark { (text) } } @else { (text) }
    } }
}

fn pieces<'a>(raw: &'a str, wanted: &[f64]) -> Vec<Piece<'a>> {
    if raw.trim_start().starts_with(['{', '[']) || raw.contains("\":") {
        return of_json(raw, wanted);
    }
    // Which sign parts the cells is told by what then holds the values.
    let by = [',', ';', '\t'].map(|separator| of_cells(raw, separator, wanted));
    let marks = |pieces: &Vec<Piece<'_>>| pieces.iter().filter(|(_, is)| *is).count();
    let [comma, others @ ..] = by;
    others
        .into_iter()
        .fold(comma, |best, next| if marks(&next) > marks(&best) { next } else { best })
}

/// Whether a number is one of the values; volatilities stand in percent in a file and as fractions in
/// an event.
fn holds(number: Option<f64>, wanted: &[f64]) -> bool {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1e-9);
    number.is_some_and(|n| wanted.iter().any(|w| same(n, *w) || same(n / 100.0, *w)))
}

/// The cells of a row, and the signs between them.
fn of_cells<'a>(raw: &'a str, separator: char, wanted: &[f64]) -> Vec<Piece<'a>> {
    let (mut pieces, mut rest, mut quoted) = (Vec::new(), raw, false);
    while !rest.is_empty() {
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            (c == separator && !quoted) || c == '\n'
        });
        let (cell, after) = rest.split_at(end.unwrap_or(rest.len()));
        let bare = cell.trim();
        let (blank, tail) = cell.split_at(cell.len() - cell.trim_start().len());
        let (value, tail) = tail.split_at(bare.len());
        pieces.push((blank, false));
        pieces.push((value, holds(cell_number(bare, separator), wanted)));
        pieces.push((tail, false));
        let sign = after.chars().next().map_or(0, char::len_utf8);
        let (sign, after) = after.split_at(sign);
        pieces.push((sign, false));
        (rest, quoted) = (after, false);
    }
    pieces
}

/// The number of a cell, in quotes or with a unit. Where commas do not part cells, one is a point.
fn cell_number(cell: &str, separator: char) -> Option<f64> {
    let signs = |c: char| matches!(c, '"' | '\'' | '%' | '$' | '+' | ' ');
    let text: String = cell.chars().filter(|c| !signs(*c)).collect();
    let whole = match separator {
        ',' => text.replace(',', ""),
        _ => text.replace(',', "."),
    };
    if whole.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) {
        whole.parse().ok()
    } else {
        None
    }
}

/// The numbers of some JSON, also those that stand in quotes; a name is none.
fn of_json<'a>(raw: &'a str, wanted: &[f64]) -> Vec<Piece<'a>> {
    let (mut pieces, mut rest) = (Vec::new(), raw);
    let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => quoted(rest),
            '-' | '0'..='9' => rest.find(|c| !number(c)).unwrap_or(rest.len()),
            _ => rest.find(|c: char| matches!(c, '"' | '-' | '0'..='9')).unwrap_or(rest.len()),
        };
        let (text, after) = rest.split_at(length);
        let is_name = first == '"' && after.trim_start().starts_with(':');
        let value = text.trim_matches('"').parse().ok().filter(|_| !is_name);
        pieces.push((text, holds(value, wanted)));
        rest = after;
    }
    pieces
}

/// The length of the text in quotes that something begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let end = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks<'a>(raw: &'a str, wanted: &[f64]) -> Vec<&'a str> {
        let pieces = pieces(raw, wanted);
        assert_eq!(pieces.iter().map(|(text, _)| *text).collect::<String>(), raw);
        pieces.into_iter().filter(|(_, is)| *is).map(|(text, _)| text).collect()
    }

    /// The digits of a name are none of the number behind it.
    #[test]
    fn each_value_of_some_json_is_marked_alone() {
        let tomic = "{\n    \"atm_iv\": 0.1662,\n    \"date\": \"2025-11-07\",\n    \
                     \"iv_percentile (HV)\": 12.5,\n    \"skew\": 8.23,\n    \"term_m1_m2\": -0.32\n}";
        let wanted = [0.1662, 12.5, 8.23, -0.32];
        assert_eq!(marks(tomic, &wanted), ["0.1662", "12.5", "8.23", "-0.32"]);
        let polygon =
            "{\"c\":150,\"e1\":7,\"h\":1.5e2,\"o\":149.50,\"t\":1699333200000,\"v\":1000.5}";
        assert_eq!(marks(polygon, &[150.0, 149.5, 1000.5]), ["150", "1.5e2", "149.50", "1000.5"]);
        let alpha =
            "\"2025-11-07\": {\"1. open\": \"150.00\", \"4. close\": \"151.5\", \"x\": \"a\\\"1\"}";
        assert_eq!(marks(alpha, &[150.0, 151.5, 1.0]), ["\"150.00\"", "\"151.5\""]);
        // What was cut off is shown as it is.
        assert_eq!(marks("{\"a\": \"12", &[12.0]), ["\"12"]);
    }

    #[test]
    fn cells_hold_values_in_whatever_way_a_file_writes_them() {
        assert_eq!(
            marks("2024-01-02, 20.5 ,AAPL,\"1,234\"\r\n", &[0.205, 1234.0]),
            ["20.5", "\"1,234\""]
        );
        assert_eq!(marks("02-01-2024;20,5;E5\n", &[0.205, 5.0]), ["20,5"]);
        assert_eq!(marks("AAPL\t20.5%\t-3\n", &[20.5, -3.0]), ["20.5%", "-3"]);
        assert_eq!(marks("€,é;ü\n", &[1.0]), [""; 0]);
    }
}
