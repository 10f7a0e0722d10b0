//! Pictures as SVG: self-contained, readable in light and dark, holes left open.
//!
//! Every label is placed by an estimate of its width that errs on the wide side, so that labels
//! do not touch whatever sans-serif font the reader has; a test holds all pictures to it.

mod calendar;
mod heatmap;
mod line;
pub(super) mod scale;

pub(super) use calendar::{rows, week, weekday, years};
pub(super) use heatmap::{MONTHS, month_name};
pub(super) use line::{geometry, spans};

use crate::app::report::{Chart, Days, Heatmap};
use std::fmt::Write;

/// The look of every picture; pages that embed one allow exactly this text, or load it.
pub const PICTURE_STYLE: &str = include_str!("style.css");

pub(super) use PICTURE_STYLE as STYLE;

/// A report that can be drawn as SVG.
pub trait Picture {
    /// The picture, complete and on its own.
    fn svg(&self) -> String;
}

impl Picture for Chart {
    fn svg(&self) -> String {
        line::svg(self)
    }
}

impl Picture for Heatmap {
    fn svg(&self) -> String {
        heatmap::svg(self)
    }
}

impl Picture for Days {
    fn svg(&self) -> String {
        calendar::svg(self)
    }
}

/// Text that stands for itself in XML, in attributes too. Characters that XML has no place for
/// become blanks.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if (c.is_control() && c != '\n') || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {
                out.push(' ');
            }
            c => out.push(c),
        }
    }
    out
}

/// About how wide a text is in a sans-serif font of that size; rather too wide than too narrow.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 't' | 'r' | '(' | ')' | '-' | '/' => 0.44,
        'm' | 'w' | 'M' | 'W' | '%' | '…' => 1.0,
        'A'..='Z' | '#' => 0.76,
        _ => 0.65,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// Sizes of the classes of text, as in the style.
pub(super) const SIZE: f64 = 12.0;
const TITLE: f64 = 16.0;
const SMALL: f64 = 10.0;

fn size_of(class: &str) -> f64 {
    let has = |name: &str| class.split(' ').any(|part| part == name);
    match () {
        () if has("t") => TITLE,
        () if has("s") => SMALL,
        () => SIZE,
    }
}

/// Which point of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A number of the picture, without digits that nobody sees; there is no NaN in a picture.
pub(super) fn n(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A picture under construction.
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self { body: String::new() }
    }

    /// Anything that is already XML.
    pub(super) fn raw(&mut self, xml: &str) {
        self.body.push_str(xml);
        self.body.push('\n');
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let (x, y, text) = (n(x), n(y), escaped(text));
        self.raw(&format!("<text{class} x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"));
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let (x1, y1, x2, y2) = (n(x1), n(y1), n(x2), n(y2));
        self.raw(&format!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    /// A rectangle from its corner, wide and high; what hovering tells of it, if anything.
    pub(super) fn rect(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (wide, high): (f64, f64),
        told: &str,
    ) {
        let (x, y, wide, high) = (n(x), n(y), n(wide), n(high));
        let title = match told {
            "" => String::new(),
            told => format!("<title>{}</title>", escaped(told)),
        };
        let open = format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\""
        );
        match title.as_str() {
            "" => self.raw(&format!("{open}/>")),
            title => self.raw(&format!("{open}>{title}</rect>")),
        }
    }

    /// A text in lines of at most that width; returns the height below the last of them.
    pub(super) fn paragraph(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        wide: f64,
        text: &str,
    ) -> f64 {
        let size = size_of(class);
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if width_of(&format!("{line} {word}"), size) <= wide => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        let step = size + 5.0;
        for (index, line) in lines.iter().enumerate() {
            self.text(class, (x, y + step * index as f64), Anchor::Start, line);
        }
        y + step * lines.len() as f64
    }

    /// The whole document: what it is called, what is seen in a sentence, how large it is.
    pub(super) fn finish(self, (wide, high): (f64, f64), title: &str, sentence: &str) -> String {
        let (wide, high) = (n(wide.ceil()), n(high.ceil()));
        let mut out = String::with_capacity(self.body.len() + STYLE.len() + 1000);
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" \
             viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-labelledby=\"name what\">\n\
             <title id=\"name\">{}</title>\n<desc id=\"what\">{}</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{wide}\" height=\"{high}\"/>\n",
            escaped(title),
            escaped(sentence),
        );
        out + &self.body + "</svg>\n"
    }
}

#[cfg(test)]
pub(super) mod tests;
