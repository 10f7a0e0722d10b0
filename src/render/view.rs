//! A view of one or several symbols.

use super::numbers::{self, counted};
use super::table::Table;
use super::{Form, Look, csv, json, markdown};
use crate::app::report::{View, ViewRow};
use crate::app::spool::{Fill, Rows, Spool};
use serde_json::Value as Json;

/// So many rows are cells at once.
const AT_ONCE: usize = 1024;

/// A view as text, written symbol by symbol: one document a symbol, or all of them together.
pub struct ViewText<'a> {
    form: Form,
    look: Look,
    /// Show a column also where no day has a value in it.
    all_columns: bool,
    /// What becomes of a page for people.
    dressed: Box<dyn Fn(&str) -> String + 'a>,
    shown: u64,
    /// Whether it is about one symbol only.
    alone: bool,
    rows: Rows,
}

impl<'a> ViewText<'a> {
    /// A view in a form, with `all_columns` also those without any value. Pages for people go through
    /// `dressed`, line by line.
    pub fn new(
        form: Form,
        look: &Look,
        all_columns: bool,
        dressed: impl Fn(&str) -> String + 'a,
    ) -> Self {
        let (look, dressed) = (*look, Box::new(dressed));
        Self { form, look, all_columns, dressed, shown: 0, alone: false, rows: Rows::default() }
    }

    /// Adds a symbol, the only one or not.
    pub fn add(&mut self, view: &View, alone: bool) {
        self.alone = alone;
        let first = self.shown == 0;
        self.shown += 1;
        match self.form {
            Form::Table => {
                let parted = if first { "" } else { "\n" };
                let page = parted.to_owned() + &one(view, self.all_columns, &self.look);
                self.rows.push(&(self.dressed)(&page));
            }
            Form::Json if alone => self.rows.push(&json::line(view)),
            Form::Json => {
                let before = if first { FIRST } else { "," };
                // As a value first: a record of a folder may have members under names that each record has.
                let value = serde_json::to_value(view).unwrap_or_default();
                self.rows.push(&format!("{before}{value}"));
            }
            Form::JsonLines => self.rows.push(&(json::line(view) + "\n")),
            Form::Csv => self.add_rows(view, csv::rows),
            Form::Markdown => self.add_rows(view, markdown::rows),
        }
    }

    fn add_rows(&mut self, view: &View, written: impl Fn(&[Vec<Json>]) -> String) {
        self.rows.widen(&view.columns);
        for part in view.rows.chunks(AT_ONCE) {
            let columns = self.rows.columns();
            let cells = |row: &ViewRow| {
                let symbol = (!self.alone).then(|| view.symbol.clone().into());
                let mut cells: Vec<Json> = symbol.into_iter().collect();
                cells.push(row.date.clone().into());
                let value = |name: &String| row.values.get(name).cloned().unwrap_or(Json::Null);
                cells.extend(columns.iter().map(value));
                cells
            };
            let text = written(&part.iter().map(cells).collect::<Vec<_>>());
            self.rows.push(&text);
        }
    }

    /// The whole text.
    pub fn finish(mut self) -> Spool {
        let mut columns: Vec<String> = Vec::new();
        columns.extend((!self.alone).then(|| "symbol".to_owned()));
        columns.push("date".to_owned());
        columns.extend(self.rows.columns().iter().cloned());
        let (head, fill) = match self.form {
            Form::Csv => (csv::head(&columns), Fill { cell: ",", quotes: true }),
            Form::Markdown => (markdown::head(&columns), Fill { cell: "  |", quotes: false }),
            Form::Json => {
                let end = if self.alone { "\n" } else { "]}\n" };
                let begin = if self.shown == 0 { FIRST } else { "" };
                self.rows.push(&(begin.to_owned() + end));
                Default::default()
            }
            Form::Table | Form::JsonLines => Default::default(),
        };
        self.rows.finish(&head, fill)
    }
}

/// How a document of several symbols begins.
const FIRST: &str = "{\"schema\":\"volledger/view/1\",\"views\":[";

fn one(view: &View, all_columns: bool, look: &Look) -> String {
    let first = if view.which.is_some() { ", first values" } else { "" };
    let mut out = format!("{} {} at #{}{first}\n", view.series, view.symbol, view.position);
    if view.rows.is_empty() {
        return out + "  no days\n";
    }
    let filled = |name: &str| {
        let value = |row: &ViewRow| row.values.get(name).is_some_and(|value| !value.is_null());
        all_columns || view.rows.iter().any(value)
    };
    let columns: Vec<&String> = view.columns.iter().filter(|name| filled(name)).collect();
    let headings: Vec<String> = columns.iter().map(|name| format!(">{name}")).collect();
    let mut all = vec!["date"];
    all.extend(headings.iter().map(String::as_str));
    let mut table = Table::new(look, &all);
    table.spare(&spare(view, &columns));
    let mut marked = false;
    for row in &view.rows {
        let cell = |name: &&String| {
            let text = numbers::optional(view.series, name, row.values.get(name.as_str()));
            if row.fill.contains(*name) { text + "*" } else { text }
        };
        marked |= !row.fill.is_empty();
        let cells: Vec<String> = columns.iter().map(cell).collect();
        table.row(std::iter::once(row.date.clone()).chain(cells));
    }
    out += &table.finish();
    out += &format!("  {}", counted(view.rows.len() as u64, numbers::noun(view.series)));
    let hidden: Vec<&str> =
        view.columns.iter().filter(|name| !filled(name)).map(String::as_str).collect();
    if !hidden.is_empty() {
        out += &format!("; without any value and not shown: {}", hidden.join(", "));
    }
    out += "\n";
    if marked {
        out += "  * fills a hole: no other source has a value there\n";
    }
    out
}

/// What a narrow terminal may do without: the columns with the fewest values, of equal ones the last
/// first. The first one stays.
fn spare<'a>(view: &View, columns: &[&'a String]) -> Vec<(usize, &'a str)> {
    let values = |name: &str| {
        let value = |row: &&ViewRow| row.values.get(name).is_some_and(|value| !value.is_null());
        view.rows.iter().filter(value).count()
    };
    let numbered = columns.iter().enumerate().skip(1);
    let mut spare: Vec<_> = numbered.map(|(index, name)| (index + 1, name.as_str())).collect();
    spare.sort_by_key(|(index, name)| (values(name), std::cmp::Reverse(*index)));
    spare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(views: &[View], form: Form, look: &Look) -> String {
        let mut text = ViewText::new(form, look, false, str::to_owned);
        views.iter().for_each(|view| text.add(view, views.len() == 1));
        let mut out = Vec::new();
        text.finish().tell(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn view(symbol: &str) -> View {
        let row = |date: &str, text: &str, fill: &[&str]| ViewRow {
            date: date.to_owned(),
            values: serde_json::from_str(text).unwrap(),
            fill: fill.iter().map(|name| (*name).to_owned()).collect(),
        };
        View {
            series: "iv",
            symbol: symbol.to_owned(),
            position: 4,
            digest: "ab".to_owned(),
            which: None,
            columns: ["atm_iv", "options_volume", "skew"].map(str::to_owned).to_vec(),
            rows: vec![
                row("2024-08-05", r#"{"atm_iv":0.45530,"options_volume":12345}"#, &[]),
                row("2024-08-06", r#"{"atm_iv":0.4102,"options_volume":null}"#, &["atm_iv"]),
            ],
            erased: 0,
            erasures: Vec::new(),
        }
    }

    #[test]
    fn a_view_looks_like_the_trade() {
        let text = rendered(&[view("VOLA")], Form::Table, &Look::default());
        let want = "iv VOLA at #4\n  \
                    date          atm_iv  options_volume\n  \
                    2024-08-05   45.53 %          12,345\n  \
                    2024-08-06  41.02 %*               –\n  \
                    2 days; without any value and not shown: skew\n  \
                    * fills a hole: no other source has a value there\n";
        assert_eq!(text, want);
    }

    #[test]
    fn a_narrow_terminal_does_without_what_has_the_fewest_values() {
        let mut view = view("VOLA");
        view.columns.insert(1, "iv_rank".to_owned());
        for row in &mut view.rows {
            row.values.insert("iv_rank".to_owned(), serde_json::json!(12));
        }
        let text = |width| {
            let look = Look { width: Some(width), unicode: true };
            rendered(std::slice::from_ref(&view), Form::Table, &look)
        };
        assert!(text(60).contains("options_volume\n"));
        let narrow = text(40);
        assert!(narrow.starts_with("iv VOLA at #4\n  date          atm_iv  iv_rank\n"), "{narrow}");
        assert!(narrow.contains("options_volume; `--json`"), "{narrow}");
        assert!(narrow.lines().take(4).all(|line| line.chars().count() <= 40), "{narrow}");
    }

    #[test]
    fn data_carries_fractions_with_their_digits() {
        let views = [view("VOLA"), view("VOLB")];
        let page = |views: &[View], form| rendered(views, form, &Look::default());
        let json = page(&views[..1], Form::Json);
        assert!(json.starts_with("{\"schema\":\"volledger/view/1\",\"series\":\"iv\""), "{json}");
        assert!(json.contains("\"date\":\"2024-08-05\",\"atm_iv\":0.45530"), "{json}");
        let lines = page(&views, Form::JsonLines);
        assert_eq!((lines.lines().count(), lines.lines().next()), (2, Some(json.trim_end())));
        let both = page(&views, Form::Json);
        let together = lines.trim_end().replace('\n', ",");
        assert_eq!(both, format!("{{\"schema\":\"volledger/view/1\",\"views\":[{together}]}}\n"));
        let none = page(&[], Form::Json);
        assert_eq!(none, "{\"schema\":\"volledger/view/1\",\"views\":[]}\n");
        let csv = page(&views, Form::Csv);
        assert!(
            csv.starts_with("symbol,date,atm_iv,options_volume,skew\nVOLA,2024-08-05,0.45530,")
        );
        assert!(page(&views[..1], Form::Csv).starts_with("date,atm_iv,options_volume,skew\n2024"));
        assert_eq!(page(&[], Form::Csv), "symbol,date\n");
    }

    #[test]
    fn a_column_that_a_later_symbol_brings_is_empty_before() {
        let mut views = [view("VOLA"), view("VOLB")];
        let rest = views.iter_mut().map(|view| view.rows.truncate(1));
        rest.for_each(drop);
        views[1].columns.push("note|".to_owned());
        views[1].rows[0].values.insert("note|".to_owned(), "a\n\"b\"|".into());
        let page = |form| rendered(&views, form, &Look::default());
        let want = "symbol,date,atm_iv,options_volume,skew,note|\n\
                    VOLA,2024-08-05,0.45530,12345,,\n\
                    VOLB,2024-08-05,0.45530,12345,,\"a\n\"\"b\"\"|\"\n";
        assert_eq!(page(Form::Csv), want);
        let want = "| symbol | date | atm_iv | options_volume | skew | note\\| |\n\
                    | --- | --- | --- | --- | --- | --- |\n\
                    | VOLA | 2024-08-05 | 0.45530 | 12345 |  |  |\n\
                    | VOLB | 2024-08-05 | 0.45530 | 12345 |  | a \"b\"\\| |\n";
        assert_eq!(page(Form::Markdown), want);
    }
}
