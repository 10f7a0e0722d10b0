//! One page a picture: it asks nothing of any network and works from a file.
//!
//! The picture is there without script; the script of a chart adds zooming and a cursor over the
//! data, which the page carries as JSON. What may run is said by digest, so that nothing that got
//! in with the data would.

mod audit;

pub use audit::audit_page;

use super::chart::words::scale;
use super::days::kind_name;
use super::heat::{value_text, wide_title};
use super::numbers::MISSING;
use super::svg::{PICTURE_STYLE, Picture, escaped, geometry, spans};
use crate::app::report::{Chart, DayKind, Days, Heatmap};
use serde_json::{Value as Json, json};
use std::fmt::Write;

const SCRIPT: &str = include_str!("chart.js");
const PAGE_STYLE: &str = include_str!("page.css");

// SHA-256 of the texts; a test holds them to it and tells the new ones.
const SCRIPT_DIGEST: &str = "QErP9Y+kFXyso2z2H1gwNoxxrpbankZo3myEzV9f5wk=";
const PAGE_STYLE_DIGEST: &str = "Q8+j5hd4agPZyJtetU0xnmGI9PlclN8iw751/p4Kv+Y=";
const AUDIT_STYLE_DIGEST: &str = "nn0R+10Xp9eni6SlxxCYv+c5BD7y4oZmEtibQoJxMeg=";
const STYLE_DIGEST: &str = "b+3tP+4wU82l9CGgU1jLcpAr+ONKa2eq313l4B39R2w=";

/// The script of a chart, for pages that load it; it works on [`Figure::data`].
pub const CHART_SCRIPT: &str = SCRIPT;

/// A report that can be a page of its own.
pub trait Page: Picture {
    /// The picture with everything that goes with it on a page.
    fn figure(&self) -> Figure;

    /// The page, complete and on its own.
    fn html(&self) -> String {
        page(&self.figure())
    }
}

/// A picture, what is seen on it, and its data as a table.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// What it is called.
    pub title: String,
    /// What is seen, in a sentence.
    pub sentence: String,
    /// The picture, with its style in it.
    pub svg: String,
    /// Whether the picture keeps its size and is scrolled, not shrunk.
    pub wide: bool,
    /// What the table below it is.
    pub caption: String,
    /// The table's headings.
    pub headings: Vec<String>,
    /// Its rows, each with a cell for every heading.
    pub rows: Vec<Vec<String>>,
    /// How many rows before these were left out.
    pub older: usize,
    /// What the script works on, as JSON that cannot end the element that it stands in.
    pub data: Option<String>,
}

impl Figure {
    /// The picture without its style, for pages that load [`PICTURE_STYLE`] themselves; its ids
    /// begin with `tag`, so that a page may have several.
    pub fn bare(&self, tag: &str) -> String {
        let bare = self.svg.replacen(&format!("<style>{PICTURE_STYLE}</style>\n"), "", 1);
        match tag {
            "" => bare,
            // Quotes in texts are escaped: these can only be attributes.
            tag => bare
                .replace("labelledby=\"name what\"", &format!("labelledby=\"{tag}name {tag}what\""))
                .replace(" id=\"", &format!(" id=\"{tag}")),
        }
    }
}

/// The controls that the script of a chart expects: each has a button, a key and a name.
pub const CONTROLS: &str = "<div id=\"controls\" hidden>\
<button id=\"in\" type=\"button\" aria-label=\"Zoom in\">+</button>\
<button id=\"out\" type=\"button\" aria-label=\"Zoom out\">−</button>\
<button id=\"back\" type=\"button\" aria-label=\"Earlier\">←</button>\
<button id=\"on\" type=\"button\" aria-label=\"Later\">→</button>\
<button id=\"reset\" type=\"button\">All</button></div>\n\
<p id=\"readout\" role=\"status\" aria-live=\"polite\"></p>\n\
<p id=\"keys\">Wheel or + and −: zoom. Drag or Page Up and Down: move. ← and →: the day, with Shift \
a month; Home and End: the first and the last. Double click, 0 or Esc: all of it.</p>\n";

/// JSON that cannot end the element that it stands in.
fn embedded(data: &Json) -> String {
    let text = data.to_string();
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn page(parts: &Figure) -> String {
    let Figure { title, sentence, svg, caption, data, .. } = parts;
    let (title, sentence, caption) = (escaped(title), escaped(sentence), escaped(caption));
    let script =
        data.as_ref().map_or(String::new(), |_| format!("script-src 'sha256-{SCRIPT_DIGEST}'; "));
    let wide = if parts.wide { " class=\"wide\"" } else { "" };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {script}\
         style-src 'sha256-{PAGE_STYLE_DIGEST}' 'sha256-{STYLE_DIGEST}'; base-uri 'none'; \
         form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<figure>\n"
    );
    let around = match data {
        Some(_) => " id=\"chart\" tabindex=\"0\" role=\"group\" aria-describedby=\"keys\"",
        None => wide,
    };
    let _ = write!(out, "<div{around}>\n{svg}</div>\n");
    if data.is_some() {
        out += CONTROLS;
    }
    let _ = write!(out, "<figcaption>{sentence}</figcaption>\n</figure>\n");
    out += "<details>\n<summary>Data as a table</summary>\n<div class=\"scroll\">\n<table>\n";
    let _ = write!(out, "<caption>{caption}</caption>\n<thead><tr>");
    for heading in &parts.headings {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(heading));
    }
    out += "</tr></thead>\n<tbody>\n";
    for row in &parts.rows {
        out += "<tr>";
        for (index, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            let _ = match index {
                0 => write!(out, "<th scope=\"row\">{cell}</th>"),
                _ => write!(out, "<td>{cell}</td>"),
            };
        }
        out += "</tr>\n";
    }
    out += "</tbody>\n</table>\n</div>\n</details>\n</main>\n";
    if let Some(data) = data {
        let _ = write!(
            out,
            "<script type=\"application/json\" id=\"data\">{data}</script>\n\
             <script>{SCRIPT}</script>\n"
        );
    }
    out + "</body>\n</html>\n"
}

impl Page for Chart {
    fn figure(&self) -> Figure {
        self.newest(usize::MAX)
    }
}

impl Chart {
    /// The figure with the newest rows of its table alone.
    pub fn newest(&self, most: usize) -> Figure {
        let older = self.points.len().saturating_sub(most);
        let strips = self.strips();
        let names = self.lines.iter().map(|line| line.field.to_owned());
        let batches = strips.iter().map(|line| format!("batch {}", line.series));
        let headings = std::iter::once("date".to_owned()).chain(names).chain(batches).collect();
        let rows = self.points.iter().skip(older).map(|point| {
            let value = |(value, line): (&Option<f64>, &crate::app::report::ChartLine)| {
                value.map_or_else(|| MISSING.to_owned(), |value| scale(line.unit).shown(value))
            };
            let batch = |line: &&crate::app::report::ChartLine| {
                let holds = |span: &&crate::app::report::BatchSpan| {
                    (span.from.as_str()..=span.to.as_str()).contains(&point.date.as_str())
                };
                let found = line.batches.iter().find(holds);
                found.map_or_else(|| MISSING.to_owned(), |span| span.batch.clone())
            };
            let values = point.values.iter().zip(&self.lines).map(value);
            let batches = strips.iter().map(batch);
            std::iter::once(point.date.clone()).chain(values).chain(batches).collect()
        });
        Figure {
            title: self.title(),
            sentence: self.sentence(),
            svg: self.svg(),
            wide: false,
            caption: format!("{}, {}", self.title(), self.place()),
            headings,
            rows: rows.collect(),
            older,
            data: Some(embedded(&data(self))),
        }
    }
}

/// What the script draws: values by line, and where the picture has its parts.
fn data(chart: &Chart) -> Json {
    let geometry = geometry(chart);
    let lines = chart.lines.iter().enumerate().map(|(index, line)| {
        let values: Vec<Option<f64>> =
            chart.points.iter().map(|point| point.values.get(index).copied().flatten()).collect();
        json!({
            "name": line.field, "view": line.series, "panel": line.panel, "values": values,
            "spans": spans(chart, line),
        })
    });
    let panels = geometry.panels.iter().enumerate().map(|(index, panel)| {
        let scale = &panel.scale;
        let (low, high) = chart.range(index).unwrap_or((0.0, 0.0));
        json!({
            "top": panel.top, "height": panel.height, "factor": scale.factor,
            "prefix": scale.prefix, "suffix": scale.suffix, "digits": scale.digits,
            "fixed": scale.fixed, "ends": [low * scale.factor, high * scale.factor],
        })
    });
    let strips = chart.strips().into_iter().zip(&geometry.strips).map(
        |(line, top)| json!({ "series": line.series, "top": top, "spans": spans(chart, line) }),
    );
    json!({
        "days": chart.points.iter().map(|point| point.date.as_str()).collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "panels": panels.collect::<Vec<_>>(),
        "strips": strips.collect::<Vec<_>>(),
        "left": geometry.left, "right": geometry.right, "bottom": geometry.bottom(),
    })
}

impl Page for Heatmap {
    fn figure(&self) -> Figure {
        let headings = ["symbol".to_owned()].into_iter().chain(self.months.iter().cloned());
        let rows = self.rows.iter().map(|row| {
            let cells = row.cells.iter().map(|cell| {
                let value = cell.as_ref().and_then(|cell| cell.value);
                value.map_or_else(|| MISSING.to_owned(), |value| value_text(self, value))
            });
            let n = std::iter::once(row.n.to_string());
            std::iter::once(row.symbol.clone()).chain(cells).chain(n).collect()
        });
        Figure {
            title: wide_title(self),
            sentence: format!("{} {}", self.sentence(), self.note()),
            svg: self.svg(),
            wide: true,
            caption: self.definition.to_owned(),
            headings: headings.chain(["n".to_owned()]).collect(),
            rows: rows.collect(),
            older: 0,
            data: None,
        }
    }
}

impl Page for Days {
    fn figure(&self) -> Figure {
        let odd = |view: &crate::app::report::DaysView| {
            let days = view.days.iter().filter(|(_, kind)| *kind != DayKind::Value);
            let row = |(day, kind): &(String, DayKind)| {
                vec![day.clone(), view.series.to_owned(), kind_name(*kind).to_owned()]
            };
            days.map(row).collect::<Vec<_>>()
        };
        Figure {
            title: self.title(),
            sentence: self.sentence(),
            svg: self.svg(),
            wide: true,
            caption: "Every day that is not simply a session with a value.".to_owned(),
            headings: ["date", "view", "what"].map(str::to_owned).to_vec(),
            rows: self.views.iter().flat_map(odd).collect(),
            older: 0,
            data: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chart::sample;
    use super::super::svg::STYLE;
    use super::*;
    use sha2::{Digest, Sha256};

    /// A digest as Content-Security-Policy writes it.
    fn digest(text: &str) -> String {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bytes = Sha256::digest(text.as_bytes());
        let mut out = String::new();
        for three in bytes.chunks(3) {
            let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                match place <= three.len() {
                    true => out.push(SIGNS[(bits >> (18 - 6 * place) & 63) as usize] as char),
                    false => out.push('='),
                }
            }
        }
        out
    }

    #[test]
    fn what_may_run_is_what_the_page_has() {
        assert_eq!(digest("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(digest(SCRIPT), SCRIPT_DIGEST);
        assert_eq!(digest(PAGE_STYLE), PAGE_STYLE_DIGEST);
        assert_eq!(digest(STYLE), STYLE_DIGEST);
        assert_eq!(digest(audit::STYLE), AUDIT_STYLE_DIGEST);
        assert!(SCRIPT.lines().count() <= 200 && SCRIPT.is_ascii());
        for text in [SCRIPT, PAGE_STYLE, STYLE, audit::STYLE] {
            assert!(!text.contains("</") && !text.contains('\r'));
        }
    }

    #[test]
    fn nothing_in_the_data_can_leave_its_place() {
        let mut chart = sample(&[&[Some(0.2), None, Some(0.3)]]);
        chart.symbol = "</script><script>alert(1)</script>\"'&".to_owned();
        chart.lines[0].field = "</script><!--";
        chart.lines[0].batches[0].batch = "<b onx='1'>]]>".to_owned();
        let page = chart.html();
        assert_eq!(page.matches("<script").count(), 2, "{page}");
        assert_eq!(page.matches("</script>").count(), 2, "{page}");
        assert!(!page.contains("<b on") && !page.contains("alert(1)</script>"), "{page}");
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "{page}");
        for place in ["http:", "https:", "src=", "@import", " style=", "onclick"] {
            let found = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(place), "{place}");
        }
    }

    #[test]
    fn a_page_without_script_allows_none() {
        let days = Days { symbol: "A".into(), position: 1, views: Vec::new() };
        let page = days.html();
        assert!(!page.contains("<script") && !page.contains("script-src"), "{page}");
        assert!(page.contains("default-src 'none'; style-src"), "{page}");
    }
}
