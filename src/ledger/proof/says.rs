//! What a row or an entry says, as one line of ASCII that is the same for ever.
//!
//! A proof carries this line for people, and a checker makes it again from the proven bytes; so
//! its form is part of the proof's format (`FORMAT.md`), and nothing in a source can forge it:
//! other signs than plain ones stand in quotes and are escaped as in JSON.

use crate::domain::rows::Row;
use crate::domain::{Entry, EntryKind, Field, Op, Position, Reject, Value, series};
use chrono::DateTime;
use std::fmt::Write;

/// What a row says: `put iv BRK.B 2025-01-01 atm_iv=0.4553 skew=null`.
pub fn row(row: &Row<'_>) -> String {
    let head = row.head;
    let op = match head.op {
        Op::Put => "put",
        Op::Retract => "retract",
    };
    let mut out = format!("{op} {} {} {}", head.series, word(row.symbol.as_str()), head.day);
    if !row.item.is_empty() {
        out += &format!(" {}", word(row.item));
    }
    for (field, value) in row.fields().filter(|(field, _)| !field.is_mark()) {
        match field {
            // The name is another program version's: its code is the same for ever.
            Field::Known(code) if series::field(*code).is_none() => out += &format!(" field{code}"),
            _ => out += &format!(" {}", word(field.name())),
        }
        if head.op == Op::Put {
            out += &format!("={}", value.as_ref().map_or_else(|| "null".to_owned(), value_word));
        }
    }
    out
}

/// What a rejected row says: `reject iv invalid_date "2025-02-30,1"`.
pub fn reject(reject: &Reject) -> String {
    format!("reject {} {} {}", reject.series, word(&reject.code), quoted(&reject.raw))
}

/// What a control entry says: `#12 2025-12-13T12:00:00Z ann commit b7:active`.
pub fn entry(at: Position, entry: &Entry) -> String {
    let time = DateTime::from_timestamp_millis(entry.time_ms);
    let time = time.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let time = time.unwrap_or_else(|| format!("{}ms", entry.time_ms));
    let mut out = format!("{at} {time} {} ", word(&entry.actor));
    match &entry.kind {
        EntryKind::Stage(stage) => {
            out += &format!(
                "stage {} events={} series={} mapping={}/{} content={}",
                stage.batch,
                stage.events,
                stage.series,
                word(&stage.mapping.id),
                stage.mapping.version,
                stage.content_id
            );
        }
        EntryKind::Decision(decision) => {
            out += decision.action.name();
            for change in &decision.changes {
                out += &format!(" {}:{}", change.batch, change.to.name());
            }
            if let Some(reason) = &decision.reason {
                out += &format!(" reason={}", quoted(reason));
            }
        }
        EntryKind::Note(text) => out += &format!("note {}", quoted(text)),
        EntryKind::Erase(erase) => {
            out += "erase";
            for part in &erase.parts {
                out += &format!(" {}:{}", part.batch, part.events);
            }
            out += &format!(" reason={}", quoted(&erase.reason));
        }
        EntryKind::Projection(about) => out += &format!("{} {}", about.step.name(), about.id),
    }
    out
}

fn value_word(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Dec(decimal) => decimal.to_string(),
        Value::Num(text) => word(text),
        Value::Text(text) | Value::Json(text) => quoted(text),
    }
}

/// A text as it is where it is one word of plain signs, else in quotes.
fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'=');
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A text as a JSON string of ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a text does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::Place;
    use crate::domain::{
        Action, BatchId, BatchState, Day, Decision, Digest, Erase, ErasedPart, Series, StateChange,
        Via,
    };

    #[test]
    fn a_retract_names_fields_without_values() {
        let mut rows = crate::domain::Rows::new();
        let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
        let fields = [Field::DateMark, Field::Known(10), Field::of(Series::Iv, "a note")];
        let (place, day) = (Place { seq: 0, source: 0, line: 1, offset: 0, len: 1 }, Day(0));
        let shape = rows.intern_shape(&fields);
        rows.push(place, Series::Iv, Op::Retract, symbol, day, shape, []);
        let values = [Value::Null, Value::Bool(true)];
        rows.push(place, Series::Bars, Op::Put, symbol, day, shape, values);
        let item = rows.intern_item("1minute 09:30");
        rows.set_item(item);
        let said: Vec<String> = rows.iter().map(|at| row(&at)).collect();
        assert_eq!(said[0], "retract iv BRK.B 1970-01-01 atm_iv \"a note\"");
        let put = "put bars BRK.B 1970-01-01 \"1minute 09:30\" atm_iv=null \"a note\"=true";
        assert_eq!(said[1], put);
    }

    #[test]
    fn each_kind_of_entry_says_what_it_is_about() {
        let (one, two) = (BatchId(1), BatchId(2));
        let stage = crate::domain::entry::tests::stage(one);
        let change = |batch, from, to| StateChange { batch, from, to };
        let decision = Decision {
            action: Action::Supersede,
            changes: vec![
                change(two, BatchState::Staged, BatchState::Active),
                change(one, BatchState::Active, BatchState::Superseded),
            ],
            reason: Some("a new\nreading".into()),
            token: None,
            base: None,
            via: Via::Plain,
        };
        let none = Digest([0; 32]);
        let part = |batch, events| ErasedPart { batch, events, records: none };
        let erase = Erase { reason: "asked".into(), parts: vec![part(one, 3), part(two, 1)] };
        let content = "0".repeat(64);
        let staged = format!("stage b1 events=0 series=iv mapping=m/1 content={content}");
        let decided = "supersede b2:active b1:superseded reason=\"a new\\nreading\"";
        for (kind, want) in [
            (EntryKind::Stage(Box::new(stage)), staged.as_str()),
            (EntryKind::Decision(decision), decided),
            (EntryKind::Note("n".into()), "note \"n\""),
            (EntryKind::Erase(erase), "erase b1:3 b2:1 reason=\"asked\""),
        ] {
            let (actor, tool) = ("ann b".to_owned(), String::new());
            let said = entry(Position(12), &Entry { time_ms: 1_000, actor, tool, kind });
            assert_eq!(said, format!("#12 1970-01-01T00:00:01Z \"ann b\" {want}"));
        }
    }

    #[test]
    fn nothing_in_a_text_can_break_out_of_its_quotes() {
        assert_eq!(word("BRK.B"), "BRK.B");
        assert_eq!(word(""), "\"\"");
        assert_eq!(word("a=b"), "\"a=b\"");
        let odd = "a \"b\\\n\r\t\u{8}\u{c}\u{1b}\u{7f}é\u{202e}😀";
        let want = "\"a \\\"b\\\\\\n\\r\\t\\b\\f\\u001b\\u007f\\u00e9\\u202e\\ud83d\\ude00\"";
        assert_eq!(quoted(odd), want);
        assert_eq!(serde_json::from_str::<String>(want).unwrap(), odd);
        assert_eq!(value_word(&Value::Text("null".into())), "\"null\"");
        assert_eq!(value_word(&Value::from_json_number("0.4550")), "0.4550");
    }
}
