//! Charts as SVG: one self-contained picture, readable in light and dark, holes left open.

use super::numbers::unit;
use crate::app::report::Chart;
use crate::domain::Day;
use crate::domain::series::Unit;
use std::fmt::Write;

/// Size of the picture and of its margins, in its own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 44.0;

/// Least distance between two labels of the time axis.
const APART: f64 = 70.0;

/// Colours for paper and, where the reader's system is dark, for dark.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#333}.title{font-size:16px;font-weight:600}\
.grid{stroke:#ddd;stroke-width:1}.line{fill:none;stroke:#1f5fa8;stroke-width:1.6;\
stroke-linejoin:round}.dot{fill:#1f5fa8}.paper{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.line{stroke:#7fb2ef}\
.dot{fill:#7fb2ef}.paper{fill:#161616}}";

/// What a field's axis is in, and how a value is written there.
fn axis(chart: &Chart) -> (&'static str, f64) {
    match unit(chart.series, chart.field) {
        Some(Unit::Vol) => ("percent a year", 100.0),
        Some(Unit::Points) => ("volatility points", 1.0),
        Some(Unit::Rank) => ("0 to 100", 1.0),
        Some(Unit::Price) => ("price", 1.0),
        Some(Unit::Count) => ("number", 1.0),
        _ => ("", 1.0),
    }
}

/// Round steps that cut a range into four to eight parts.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low).max(f64::MIN_POSITIVE) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|part| part * power);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(power * 10.0);
    let first = (low / step).floor() as i64;
    let last = (high / step).ceil() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// A tick's number, without digits that say nothing.
fn number(value: f64, step: f64) -> String {
    let digits = if step >= 1.0 { 0 } else { (-step.log10()).ceil() as usize };
    format!("{value:.digits$}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Draws a chart.
pub fn svg(chart: &Chart) -> String {
    let (axis, factor) = axis(chart);
    let known = || chart.points.iter().filter_map(|(_, value)| *value).map(|v| v * factor);
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::MIN, f64::max));
    let (low, high) = if high > low { (low, high) } else { (low - 1.0, low + 1.0) };
    let ticks = ticks(low, high);
    let (bottom, top) =
        (ticks.first().copied().unwrap_or(low), ticks.last().copied().unwrap_or(high));
    let (wide, tall) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let last = chart.points.len().saturating_sub(1).max(1) as f64;
    let x = |index: usize| LEFT + wide * index as f64 / last;
    let y = |value: f64| TOP + tall * (top - value) / (top - bottom);
    let mut out = String::new();
    let title = escaped(&format!("{} {}, {}", chart.series, chart.symbol, chart.field));
    let missing = chart.points.iter().filter(|(_, value)| value.is_none()).count();
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\">\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\"/>\n<text class=\"title\" x=\"{LEFT}\" y=\"22\">{title}</text>\n\
         <text x=\"{LEFT}\" y=\"40\">{axis}</text>\n<text x=\"{}\" y=\"22\" text-anchor=\"end\">\
         {missing} of {} sessions missing, at #{}</text>\n",
        WIDTH - RIGHT,
        chart.points.len(),
        chart.position
    );
    let step = ticks.get(1).zip(ticks.first()).map_or(1.0, |(a, b)| a - b);
    for tick in &ticks {
        let at = y(*tick);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.5,
            number(*tick, step)
        );
    }
    for (index, label) in dates(chart, &x) {
        let at = x(index);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{}\"/>\n\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 20.0
        );
    }
    // A run of values is a line; one between holes is a dot.
    let mut run: Vec<(f64, f64)> = Vec::new();
    let values = chart.points.iter().map(|(_, value)| *value).chain([None]);
    for (index, value) in values.enumerate() {
        if let Some(value) = value {
            run.push((x(index), y(value * factor)));
            continue;
        }
        match run.as_slice() {
            [] => {}
            [(x, y)] => {
                let _ =
                    writeln!(out, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.6\"/>");
            }
            several => {
                let points: Vec<_> =
                    several.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let _ = writeln!(out, "<polyline class=\"line\" points=\"{}\"/>", points.join(" "));
            }
        }
        run.clear();
    }
    out + "</svg>\n"
}

/// Where the time axis is labelled: years, or months where the range is short, never too close.
fn dates(chart: &Chart, x: &dyn Fn(usize) -> f64) -> Vec<(usize, String)> {
    let day = |index: usize| chart.points.get(index).and_then(|(day, _)| day.parse::<Day>().ok());
    let years = day(0).zip(day(chart.points.len().saturating_sub(1)));
    let long = years.is_some_and(|(first, last)| last.0 - first.0 > 900);
    let part = |text: &str| text.get(..if long { 4 } else { 7 }).unwrap_or(text).to_owned();
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut before = chart.points.first().map(|(day, _)| part(day));
    for (index, (day, _)) in chart.points.iter().enumerate() {
        let label = part(day);
        if before.as_ref() == Some(&label) {
            continue;
        }
        let room = found.last().is_none_or(|(last, _)| x(index) - x(*last) >= APART);
        if room && x(index) < WIDTH - RIGHT - APART / 3.0 {
            found.push((index, label.clone()));
        }
        before = Some(label);
    }
    if found.is_empty() {
        let last = chart.points.len().saturating_sub(1);
        let label = |index: usize| chart.points.get(index).map(|(day, _)| day.clone());
        found.extend(label(0).map(|day| (0, day)).filter(|_| last > 0));
        found.extend(label(last).map(|day| (last, day)));
        found.truncate(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<f64>]) -> Chart {
        let first: Day = "2024-01-02".parse().unwrap();
        let points = values.iter().enumerate();
        let points = points.map(|(i, value)| (Day(first.0 + i as i32).to_string(), *value));
        Chart {
            schema: "volledger/chart/1",
            series: "iv",
            symbol: "A&B".into(),
            field: "atm_iv",
            position: 3,
            points: points.collect(),
        }
    }

    #[test]
    fn holes_cut_the_line_and_lone_values_are_dots() {
        let page =
            svg(&chart(&[Some(0.2), Some(0.3), None, Some(0.25), None, Some(0.2), Some(0.1)]));
        assert_eq!(page.matches("<polyline").count(), 2);
        assert_eq!(page.matches("<circle").count(), 1);
        assert!(page.contains("2 of 7 sessions missing") && page.contains("A&amp;B"));
        assert!(page.contains("percent a year") && !page.contains("NaN"));
        for values in [vec![Some(0.2)], vec![Some(0.2); 3]] {
            assert!(!svg(&chart(&values)).contains("NaN"));
        }
    }

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        for (low, high) in [(15.0, 87.5), (0.001, 0.0042), (-46.3, 12.0), (99.5, 100.5), (0.0, 1e9)]
        {
            let ticks = ticks(low, high);
            assert!((3..=9).contains(&ticks.len()), "{ticks:?}");
            assert!(ticks[0] <= low && ticks[ticks.len() - 1] >= high, "{ticks:?}");
        }
        assert_eq!((number(0.25, 0.05), number(40.0, 20.0)), ("0.25".into(), "40".into()));
    }

    #[test]
    fn labels_of_the_time_axis_never_touch() {
        for count in [1usize, 2, 20, 250, 1000, 4000] {
            let values: Vec<_> = (0..count).map(|i| Some(0.2 + (i as f64).sin() / 10.0)).collect();
            let chart = chart(&values);
            let x =
                |index: usize| LEFT + (WIDTH - LEFT - RIGHT) * index as f64 / count.max(2) as f64;
            let labels = dates(&chart, &x);
            assert!(!labels.is_empty(), "{count}");
            let near = labels.windows(2).any(|pair| x(pair[1].0) - x(pair[0].0) < APART);
            assert!(!near, "{count}: {labels:?}");
        }
    }
}
