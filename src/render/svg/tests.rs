//! What holds of every picture: sound XML, labels that do not touch, no NaN, holes left open.

use super::super::chart::{dated, sample};
use super::*;
use crate::app::report::{BatchSpan, DayCounts, DayKind, DaysView, HeatCell, HeatRow};
use crate::domain::Day;
use proptest::prelude::*;

/// Reads XML strictly enough for pictures: tags match, attributes are quoted and occur once, text
/// has no bare sign. Returns what is wrong.
pub(in crate::render) fn faults(xml: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.trim();
    while !rest.is_empty() {
        let (text, tail) = rest.split_once('<').unwrap_or((rest, ""));
        if text.contains('>') && open.last() != Some(&"style") {
            return Err(format!("a bare > in {text:?}"));
        }
        for entity in text.split('&').skip(1) {
            let name = entity.split(';').next().unwrap_or_default();
            if !["amp", "lt", "gt", "quot", "#39"].contains(&name) {
                return Err(format!("a bare & in {text:?}"));
            }
        }
        if tail.is_empty() {
            break;
        }
        let (tag, after) = tail.split_once('>').ok_or("a tag without end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let alone = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut names = Vec::new();
        while !attributes.trim().is_empty() {
            let (key, value) = attributes.trim().split_once("=\"").ok_or(format!("<{tag}>"))?;
            let (value, more) = value.split_once('"').ok_or(format!("<{tag}>"))?;
            if names.contains(&key) || value.contains('<') {
                return Err(format!("<{tag}>"));
            }
            names.push(key);
            attributes = more;
        }
        if !alone {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("not closed: {open:?}")) }
}

/// One label: its text and the corners of its box.
type Label = (String, [f64; 4]);

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The boxes of all labels, by the fonts' estimated widths.
fn labels(svg: &str) -> Vec<Label> {
    let mut found = Vec::new();
    for part in svg.split("<text").skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        let text = rest.split("</text>").next().unwrap();
        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
        let plain = plain.replace("&quot;", "\"").replace("&amp;", "&");
        let size = size_of(&attribute(tag, "class").unwrap_or_default());
        let place = |name| attribute(tag, name).unwrap().parse::<f64>().unwrap();
        let (x, y, wide) = (place("x"), place("y"), width_of(&plain, size));
        let left = match attribute(tag, "text-anchor").as_deref() {
            Some("middle") => x - wide / 2.0,
            Some("end") => x - wide,
            _ => x,
        };
        found.push((plain, [left, y - size * 0.75, left + wide, y + size * 0.22]));
    }
    found
}

/// Holds a picture to the rules.
fn sound(svg: &str) -> Result<(), String> {
    faults(svg)?;
    for never in ["NaN", "inf", "<script", "href", "style=\""] {
        if svg.replace("@media", "").contains(never) {
            return Err(format!("{never} in {svg}"));
        }
    }
    let size = |name| attribute(svg, name).and_then(|text| text.parse::<f64>().ok());
    let (wide, high) = size("width").zip(size("height")).ok_or("no size")?;
    let labels = labels(svg);
    for (index, (text, [left, top, right, bottom])) in labels.iter().enumerate() {
        if *left < 0.0 || *top < 0.0 || *right > wide || *bottom > high {
            return Err(format!("{text:?} is cut: {left} {top} {right} {bottom} of {wide} {high}"));
        }
        for (other, [l, t, r, b]) in &labels[index + 1..] {
            if left < r && l < right && top < b && t < bottom {
                return Err(format!("{text:?} and {other:?} touch"));
            }
        }
    }
    Ok(())
}

#[track_caller]
fn assert_sound(svg: &str) {
    if let Err(fault) = sound(svg) {
        panic!("{fault}");
    }
}

#[test]
fn faults_are_noticed() {
    for wrong in ["<a>", "<a></b>", "<a x=1/>", "<a>&</a>", "<a x=\"1\" x=\"2\"/>", "<a>></a>"] {
        assert!(faults(wrong).is_err(), "{wrong}");
    }
    assert_eq!(faults("<a x=\"1\"><b/>&amp;</a>"), Ok(()));
    let two = |x: f64| {
        let mut canvas = Canvas::new();
        canvas.text("", (10.0, 30.0), Anchor::Start, "one");
        canvas.text("", (x, 30.0), Anchor::Start, "two");
        canvas.finish((100.0, 50.0), "t", "s")
    };
    assert!(sound(&two(20.0)).unwrap_err().contains("touch"));
    assert!(sound(&two(95.0)).unwrap_err().contains("cut"));
    assert_eq!(sound(&two(50.0)), Ok(()));
}

#[test]
fn holes_cut_the_line_and_lone_values_are_points() {
    let some = Some;
    let values = [some(0.2), some(0.3), None, some(0.25), None, some(0.2), some(0.1)];
    let picture = sample(&[&values]).svg();
    let path = |kind: &str| {
        let tag =
            picture.split("<path").find(|tag| tag.starts_with(&format!(" class=\"{kind} d0\"")));
        attribute(tag.unwrap(), "d").unwrap()
    };
    assert_eq!((path("l").matches('M').count(), path("l").matches('L').count()), (2, 2));
    assert_eq!((path("p").matches('M').count(), path("p").matches("h0").count()), (1, 1));
    assert!(picture.contains("atm_iv 2") && picture.contains("A&amp;B: iv atm_iv"), "{picture}");
    assert!(picture.contains("<desc id=\"what\">atm_iv of A&amp;B stood at 10.00 %"), "{picture}");
    assert_sound(&picture);
}

#[test]
fn ticks_are_round_and_cover_the_range() {
    for (low, high) in
        [(15.0, 87.5), (0.001, 0.0042), (-46.3, 12.0), (99.5, 100.5), (0.0, 1e9), (5.0, 5.0)]
    {
        for parts in [3, 5] {
            let ticks = scale::ticks(low, high, parts);
            assert!((2..=parts + 3).contains(&ticks.len()), "{low} {high} {parts}: {ticks:?}");
            let slack = (high - low).abs() * 1e-6;
            assert!(ticks[0] <= low + slack && ticks[ticks.len() - 1] >= high - slack, "{ticks:?}");
        }
    }
    assert_eq!((scale::digits(20.0), scale::digits(2.5), scale::digits(0.025)), (0, 1, 3));
    assert_eq!(scale::ticks(f64::NAN, 1.0, 4), [0.0, 1.0]);
}

/// The contrast of two colours `#rgb` or `#rrggbb`, as the web's guidelines compute it.
fn contrast(one: &str, other: &str) -> f64 {
    let light = |colour: &str| {
        let hex = colour.trim_start_matches('#');
        let wide: String = match hex.len() {
            3 => hex.chars().flat_map(|c| [c, c]).collect(),
            _ => hex.to_owned(),
        };
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    let (a, b) = (light(one), light(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_and_line_stands_out_in_light_and_dark() {
    let (light, dark) = STYLE.split_once("@media(prefers-color-scheme:dark){").unwrap();
    for style in [light, dark] {
        // The rule of a class, found by its selector's end.
        let colour = |class: &str, what: &str| {
            let rule = style.split('}').find(|rule| {
                let names = rule.trim().split('{').next().unwrap_or_default();
                names.split(',').any(|name| name.trim() == class)
            });
            let rule = rule.unwrap_or_else(|| panic!("{class}"));
            let rest = rule.split_once(&format!("{what}:")).unwrap().1;
            rest.split([';', '}']).next().unwrap().trim().to_owned()
        };
        let paper = colour(".paper", "fill");
        for (class, what, least) in [
            ("text", "fill", 7.0),
            (".m", "fill", 4.5),
            (".d0", "stroke", 4.5),
            (".d1", "stroke", 4.5),
            (".d2", "stroke", 4.5),
            (".d3", "stroke", 4.5),
            (".d4", "stroke", 4.5),
            (".d5", "stroke", 4.5),
            (".value", "fill", 3.0),
            (".missing", "stroke", 4.5),
            (".empty", "stroke", 4.5),
            (".odd", "fill", 4.5),
        ] {
            let found = contrast(&colour(class, what), &paper);
            assert!(found >= least, "{class} {found} on {paper}");
        }
        for band in 0..10 {
            let (ground, ink) = (colour(&format!(".q{band}"), "fill"), {
                let first = if band < 5 { ".w0" } else { ".w5" };
                colour(first, "fill")
            });
            let found = contrast(&ground, &ink);
            assert!(found >= 4.5, "q{band} {ground} {ink}: {found}");
        }
        for band in ["b0", "b1"] {
            assert!(contrast(&colour(&format!(".{band}"), "fill"), &colour("text", "fill")) >= 4.5);
        }
    }
}

fn a_map(rows: usize, months: usize, metric: &'static str, holes: u64) -> Heatmap {
    let value = |row: usize, month: usize| {
        let number = (row * 31 + month * 17) as u64;
        let share = (number % 100) as f64;
        (holes == 0 || !number.is_multiple_of(holes)).then_some(if metric == "atm_iv" {
            share / 9.0
        } else {
            share * 100.0 / 99.0
        })
    };
    let cell = |row, month| {
        (month % 11 != 3).then(|| HeatCell {
            date: "2025-01-31".into(),
            value: value(row, month),
            n: 252,
        })
    };
    Heatmap {
        position: 2,
        which: Some("first"),
        metric,
        definition: crate::app::chart::Metric::Rank504.definition(),
        by: "month",
        months: (5..months + 5).map(|i| format!("{}-{:02}", 2014 + i / 12, i % 12 + 1)).collect(),
        rows: (0..rows)
            .map(|row| HeatRow {
                symbol: if row % 7 == 0 {
                    "O:SPXW251219C06500000".into()
                } else {
                    format!("S{row}")
                },
                newest: value(row, 0),
                n: 504,
                cells: (0..months).map(|month| cell(row, month)).collect(),
            })
            .collect(),
        hidden: 12,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn charts_are_sound(
        values in proptest::collection::vec(
            proptest::collection::vec(proptest::option::weighted(0.8, -1e3..1e3f64), 4), 1..260),
        lines in 1..5usize,
        power in -4..5i32,
        panels in 1..4usize,
        stride in 1..40usize,
        batch in 1..2000u32,
        year in 1990..2026i32,
    ) {
        let column = |line: usize| -> Vec<Option<f64>> {
            values.iter().map(|row| row[line].map(|v| v * 10f64.powi(power))).collect()
        };
        let columns: Vec<Vec<Option<f64>>> = (0..lines).map(column).collect();
        let parts: Vec<&[Option<f64>]> = columns.iter().map(Vec::as_slice).collect();
        let mut chart = dated(&format!("{year}-11-20"), &parts);
        chart.absent = vec!["iv_rank_504 (at most 3 observations before a day)".into()];
        for (index, line) in chart.lines.iter_mut().enumerate() {
            line.panel = index % panels.min(lines);
            line.unit = ["vol", "price", "points", "count"][line.panel];
            line.series = ["iv", "hv", "spot", "index"][index];
            let starts = (0..chart.points.len()).step_by(stride);
            line.batches = starts.enumerate().map(|(number, from)| {
                let to = (from + stride - 1).min(chart.points.len() - 1);
                BatchSpan {
                    batch: format!("b{}", batch + number as u32),
                    from: chart.points[from].date.clone(),
                    to: chart.points[to].date.clone(),
                }
            }).collect();
        }
        let svg = chart.svg();
        prop_assert_eq!(sound(&svg), Ok(()));
        // As many pieces as there are runs of values.
        let runs: usize = columns.iter().map(|column| {
            let starts = |(index, value): (usize, &Option<f64>)| {
                value.is_some() && (index == 0 || column[index - 1].is_none())
            };
            column.iter().enumerate().filter(|pair| starts(*pair)).count()
        }).sum();
        let paths = svg.split("<path class=\"").skip(1);
        let moves: usize = paths.map(|path| path.split("/>").next().unwrap().matches('M').count()).sum();
        prop_assert_eq!(moves, runs);
    }

    #[test]
    fn heat_maps_are_sound(rows in 0..40usize, months in 1..60usize, holes in 0..5u64, iv in any::<bool>()) {
        let metric = if iv { "atm_iv" } else { "iv_rank_504" };
        let svg = a_map(rows, months, metric, holes).svg();
        prop_assert_eq!(sound(&svg), Ok(()));
    }

    #[test]
    fn calendars_are_sound(
        first in 0..20_000i32,
        kinds in proptest::collection::vec(0..6usize, 1..900),
        weekends in any::<bool>(),
    ) {
        const ALL: [DayKind; 5] = [
            DayKind::Value, DayKind::Missing, DayKind::Empty, DayKind::ClosedValue, DayKind::NotAsked,
        ];
        let days: Vec<(String, DayKind)> = kinds.iter().enumerate().filter_map(|(index, kind)| {
            let day = Day(first + index as i32);
            (weekends || !day.is_weekend()).then_some(())?;
            Some((day.to_string(), *ALL.get(*kind)?))
        }).collect();
        let view = DaysView {
            series: "iv",
            from: Day(first).to_string(),
            to: Day(first + kinds.len() as i32 - 1).to_string(),
            counts: DayCounts { value: 7, missing: 1234, empty: 3, closed_value: 4, not_asked: 5 },
            days,
        };
        let days = Days {
            symbol: "O:SPXW251219C06500000".into(),
            position: 3,
            views: vec![view.clone(), DaysView { series: "spot", ..view }],
        };
        prop_assert_eq!(sound(&days.svg()), Ok(()));
    }
}

/// One pixel of it could be neither seen nor read.
#[test]
fn the_batch_of_a_single_session_has_the_whole_width() {
    let chart = sample(&[&[Some(0.2)], &[Some(0.3)]]);
    let (svg, geometry) = (chart.svg(), geometry(&chart));
    assert_sound(&svg);
    let bands =
        svg.split("<rect class=\"b b0\"").skip(1).map(|rest| rest.split('>').next().unwrap());
    let width = |tag: &str| attribute(tag, "width").unwrap().parse::<f64>().unwrap();
    let wide = geometry.right - geometry.left;
    assert!(bands.clone().all(|tag| (width(tag) - wide).abs() < 0.1), "{svg}");
    assert_eq!(bands.count(), 2, "{svg}");
    assert!(svg.contains(">b1</text>") && svg.contains(">b2</text>"), "{svg}");
}

#[test]
fn text_from_outside_stays_text() {
    let mut chart = sample(&[&[Some(0.2), Some(0.3)]]);
    chart.symbol = "</title><script>alert('x')</script>\u{7}&".into();
    let svg = chart.svg();
    assert_sound(&svg);
    assert!(svg.contains("&lt;script&gt;alert(&#39;x&#39;)"), "{svg}");
}
