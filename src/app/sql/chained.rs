//! Comparisons in a row: `0.4 <= x < 0.8`.
//!
//! SQLite reads it as `(0.4 <= x) < 0.8`, compares a truth value with a number and answers without
//! complaint, so conditions that people write are looked through for it before SQLite sees them.

/// Two comparisons where only one can stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chained {
    /// The part of the condition: `0.4 <= x < 0.8`.
    pub clause: String,
    /// What was most probably meant: `0.4 <= x AND x < 0.8`.
    pub instead: String,
}

/// A piece of a condition, by its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `<`, `<=`, `>`, `>=`, `=`, `==`, `!=`, `<>`.
    Compare,
    /// AND, OR, NOT, a comma and the like: what stands on its two sides is compared apart.
    Boundary,
    Open,
    Close,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    from: usize,
    to: usize,
}

/// Words that separate comparisons of one level; `CASE` … `END` is a level of its own.
const BOUNDARIES: [&str; 16] = [
    "AND",
    "OR",
    "NOT",
    "WHEN",
    "THEN",
    "ELSE",
    "SELECT",
    "FROM",
    "WHERE",
    "ON",
    "HAVING",
    "BY",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
];

/// The longest first.
const OPERATORS: [(&str, Kind); 14] = [
    ("->>", Kind::Other),
    ("->", Kind::Other),
    ("<<", Kind::Other),
    (">>", Kind::Other),
    ("<=", Kind::Compare),
    (">=", Kind::Compare),
    ("==", Kind::Compare),
    ("!=", Kind::Compare),
    ("<>", Kind::Compare),
    ("<", Kind::Compare),
    (">", Kind::Compare),
    ("=", Kind::Compare),
    (",", Kind::Boundary),
    (";", Kind::Boundary),
];

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = next(rest);
        if let Some(kind) = kind {
            found.push(Token { kind, from: at, to: at + length });
        }
        at += length;
    }
    found
}

/// What a text begins with and how long that is; nothing for blanks and comments.
fn next(rest: &str) -> (Option<Kind>, usize) {
    let until = |end: &str, skip: usize| {
        let inside = rest.get(skip..).unwrap_or_default();
        inside.find(end).map_or(rest.len(), |found| skip + found + end.len())
    };
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        _ if first.is_whitespace() => (None, first.len_utf8()),
        _ if rest.starts_with("--") => (None, until("\n", 2)),
        _ if rest.starts_with("/*") => (None, until("*/", 2)),
        // A doubled quote inside reads as two texts side by side, which is all the same here.
        '\'' => (Some(Kind::Other), until("'", 1)),
        '"' => (Some(Kind::Other), until("\"", 1)),
        '`' => (Some(Kind::Other), until("`", 1)),
        '[' => (Some(Kind::Other), until("]", 1)),
        '(' => (Some(Kind::Open), 1),
        ')' => (Some(Kind::Close), 1),
        _ if first.is_alphanumeric() || first == '_' => {
            let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
            let length = rest.find(|c| !inner(c)).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default().to_uppercase();
            let kind = match word.as_str() {
                "CASE" => Kind::Open,
                "END" => Kind::Close,
                word if BOUNDARIES.contains(&word) => Kind::Boundary,
                _ => Kind::Other,
            };
            (Some(kind), length)
        }
        _ => match OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            Some((sign, kind)) => (Some(*kind), sign.len()),
            None => (Some(Kind::Other), first.len_utf8()),
        },
    }
}

/// One level of parentheses: where its present clause begins, and the comparisons in it.
#[derive(Clone, Debug, Default)]
struct Level {
    from: usize,
    compares: Vec<Token>,
}

/// The first comparisons in a row of a condition.
pub fn chained(text: &str) -> Option<Chained> {
    let mut levels = vec![Level::default()];
    for token in tokens(text) {
        let Some(level) = levels.last_mut() else { break };
        match token.kind {
            Kind::Compare => level.compares.push(token),
            Kind::Other => {}
            Kind::Open => levels.push(Level { from: token.to, ..Level::default() }),
            Kind::Boundary | Kind::Close => {
                if let Some(found) = level.told(text, token.from) {
                    return Some(found);
                }
                *level = Level { from: token.to, ..Level::default() };
                if token.kind == Kind::Close && levels.len() > 1 {
                    levels.pop();
                }
            }
        }
    }
    // Levels that are never closed are SQLite's to complain about.
    levels.iter().rev().find_map(|level| level.told(text, text.len()))
}

impl Level {
    fn told(&self, text: &str, to: usize) -> Option<Chained> {
        let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default().trim();
        let second = self.compares.get(1)?;
        let end = self.compares.get(2).map_or(to, |third| third.from);
        let first = self.compares.first()?;
        let (left, middle) = (piece(self.from, second.from), piece(first.to, second.from));
        Some(Chained {
            clause: piece(self.from, to).to_owned(),
            instead: format!("{left} AND {middle} {}", piece(second.from, end)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_comparisons_in_a_row_are_found_and_rewritten() {
        for (text, clause, instead) in [
            ("0.4 <= x < 0.8", "0.4 <= x < 0.8", "0.4 <= x AND x < 0.8"),
            ("y > 1 and 0.4<=x<0.8", "0.4<=x<0.8", "0.4<=x AND x <0.8"),
            ("y or (a = b == c)", "a = b == c", "a = b AND b == c"),
            ("max(1 < x, 2 <> x != 3)", "2 <> x != 3", "2 <> x AND x != 3"),
            ("a < f(b) < c", "a < f(b) < c", "a < f(b) AND f(b) < c"),
            ("case when 1<x<2 then 1 end", "1<x<2", "1<x AND x <2"),
            (
                "0 < case x when 1 then 2 end < 3",
                "0 < case x when 1 then 2 end < 3",
                "0 < case x when 1 then 2 end AND case x when 1 then 2 end < 3",
            ),
            ("not 1 > x >= 0", "1 > x >= 0", "1 > x AND x >= 0"),
            ("1 < x < 2 < 3", "1 < x < 2 < 3", "1 < x AND x < 2"),
            ("(1 < x < 2", "1 < x < 2", "1 < x AND x < 2"),
        ] {
            let found = chained(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (found.clause.as_str(), found.instead.as_str()),
                (clause, instead),
                "{text}"
            );
        }
    }

    #[test]
    fn comments_and_other_levels_do_not_hide_them() {
        for text in ["a < /* < */ b -- <\n < c", "(a = 1) < b < c", "case x when 1<2<3 then 1 end"]
        {
            assert!(chained(text).is_some(), "{text}");
        }
    }

    #[test]
    fn everything_else_passes() {
        for text in [
            "",
            "x > 1",
            "x > 1 and y < 2 or not z >= 3",
            "0.4 <= x AND x < 0.8",
            "x between 0.4 and 0.8 and y = 1",
            "(a < b) = (c < d)",
            "symbol = 'a < b < c' and x > 1",
            "symbol <> 'it''s < <' ",
            "\"a<b\" < [c<d] or `e<f` > 1",
            "x << 2 < 8 and y >> 1 > 2",
            "x->>'$.a' > 1",
            "max(x < 1, y < 2) < 3",
            "x in (1, 2) and y < 3",
            "case when x < 1 then y > 2 else z = 3 end",
            "case x when 1 then 2 end < 3",
            "x < (select max(y) from screen where y < 3 and z > 2)",
            "x < 1 -- y < z < 2",
            "x /* 1 < 2 < 3 */ < 1",
            "ü < 'é",
            "x < 1) or (y < 2",
        ] {
            assert_eq!(chained(text), None, "{text}");
        }
    }
}
