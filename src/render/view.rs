//! A view of one or several symbols.

use super::numbers::{self, counted};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{View, ViewRow};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

/// One document a symbol, or all of them together.
#[derive(Clone, Copy, Debug)]
pub struct Views<'a> {
    /// The views, one a symbol.
    pub views: &'a [View],
    /// Show a column also where no day has a value in it.
    pub all_columns: bool,
}

impl Views<'_> {
    /// The columns of all symbols, in order.
    fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for column in self.views.iter().flat_map(|view| &view.columns) {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }
}

impl Serialize for Views<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.views {
            [one] => one.serialize(serializer),
            many => serde_json::json!({"schema": "volledger/view/1", "views": many})
                .serialize(serializer),
        }
    }
}

impl Document for Views<'_> {
    fn text(&self, look: &Look) -> String {
        let mut out = String::new();
        for (index, view) in self.views.iter().enumerate() {
            if index > 0 {
                out += "\n";
            }
            out += &one(view, self.all_columns, look);
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(self.views)
    }

    fn grid(&self) -> Grid {
        let columns = self.columns();
        let named = self.views.len() != 1;
        let mut grid = Grid::default();
        grid.columns.extend(named.then(|| "symbol".to_owned()));
        grid.columns.push("date".to_owned());
        grid.columns.extend(columns.iter().map(|name| (*name).to_owned()));
        for view in self.views {
            for row in &view.rows {
                let mut cells: Vec<Json> = Vec::new();
                cells.extend(named.then(|| view.symbol.clone().into()));
                cells.push(row.date.clone().into());
                let value = |name: &&str| row.values.get(*name).cloned().unwrap_or(Json::Null);
                cells.extend(columns.iter().map(value));
                grid.rows.push(cells);
            }
        }
        grid
    }
}

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
    use crate::render::Form;

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
        let views = [view("VOLA")];
        let text = Views { views: &views, all_columns: false }.text(&Look::default());
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
            Views { views: std::slice::from_ref(&view), all_columns: false }.text(&look)
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
        let page = |views| Views { views, all_columns: false };
        let look = Look::default();
        let json = page(&views[..1]).render(Form::Json, &look);
        assert!(json.starts_with("{\"schema\":\"volledger/view/1\",\"series\":\"iv\""), "{json}");
        assert!(json.contains("\"date\":\"2024-08-05\",\"atm_iv\":0.45530"), "{json}");
        let both = page(&views[..]).render(Form::Json, &look);
        assert!(both.starts_with("{\"schema\":\"volledger/view/1\",\"views\":[{"), "{both}");
        assert!(both.contains("0.45530"), "{both}");
        assert_eq!(page(&views[..]).render(Form::JsonLines, &look).lines().count(), 2);
        let csv = page(&views[..]).render(Form::Csv, &look);
        assert!(
            csv.starts_with("symbol,date,atm_iv,options_volume,skew\nVOLA,2024-08-05,0.45530,")
        );
    }
}
