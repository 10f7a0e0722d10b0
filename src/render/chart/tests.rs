//! The terminal's charts: holes, marks, widths, colours.

use super::*;
use crate::app::report::{BatchSpan, ChartPoint};
use crate::domain::Day;

/// Lines of volatility, one value a session from 2024-01-02 on.
pub(in crate::render) fn sample(lines: &[&[Option<f64>]]) -> Chart {
    dated("2024-01-02", lines)
}

/// The same from another day on.
pub(in crate::render) fn dated(first: &str, lines: &[&[Option<f64>]]) -> Chart {
    const NAMES: [&str; 4] = ["atm_iv", "hv20", "hv252", "hv30"];
    let count = lines.first().map_or(0, |line| line.len());
    let first: Day = first.parse().unwrap();
    let day = |index: usize| Day(first.0 + index as i32).to_string();
    let line = |(index, values): (usize, &&[Option<f64>])| ChartLine {
        series: if index == 0 { "iv" } else { "hv" },
        field: NAMES[index % 4],
        unit: "vol",
        panel: 0,
        known: values.iter().flatten().count() as u64,
        missing: values.iter().filter(|value| value.is_none()).count() as u64,
        batches: vec![BatchSpan {
            batch: format!("b{}", index + 1),
            from: day(0),
            to: day(count.saturating_sub(1)),
        }],
    };
    let point = |index: usize| ChartPoint {
        date: day(index),
        values: lines.iter().map(|line| line[index]).collect(),
    };
    Chart {
        kind: "iv",
        series: "iv",
        symbol: "A&B".into(),
        field: "atm_iv",
        position: 3,
        which: None,
        lines: lines.iter().enumerate().map(line).collect(),
        absent: Vec::new(),
        points: (0..count).map(point).collect(),
    }
}

fn page(chart: &Chart, width: u16, unicode: bool) -> String {
    chart.text(&Look { width: Some(width), unicode })
}

#[test]
fn a_rising_line_rises_and_a_hole_is_a_hole() {
    let rising = page(&sample(&[&[Some(0.1), Some(0.2), Some(0.3)]]), 80, false);
    let lines: Vec<&str> = rising.lines().collect();
    assert!(lines[0].starts_with("A&B: iv atm_iv"), "{rising}");
    assert!(lines[2].contains("30 %") && lines[2].ends_with('*'), "{rising}");
    assert!(lines[ROWS + 1].contains("10 %") && lines[ROWS + 1].contains("+*"), "{rising}");
    assert!(rising.contains("2024-01-03") && rising.contains("0 of 3 sessions missing"));
    let broken = page(&sample(&[&[Some(0.1), None, Some(0.3)]]), 40, false);
    assert_eq!(broken.matches('*').count(), 2, "{broken}");
    assert!(broken.contains("1 of 3 sessions missing"), "{broken}");
}

#[test]
fn several_lines_have_marks_and_colours() {
    let (high, low) = (vec![Some(0.5); 60], vec![Some(0.1); 60]);
    let chart = sample(&[&high, &low]);
    for (unicode, marks) in [(true, ['●', '▲']), (false, ['*', '+'])] {
        let page = page(&chart, 80, unicode);
        let legend = page.lines().nth(1).unwrap();
        assert!(legend.contains(&format!("{} atm_iv", marks[0])), "{page}");
        assert!(legend.contains(&format!("{} hv20", marks[1])), "{page}");
        // The marks are on the lines too, so that they are told apart without colour.
        for (mark, row) in marks.into_iter().zip([2, ROWS + 1]) {
            let line = page.lines().nth(row).unwrap();
            assert!(line.matches(mark).count() >= 3, "{mark} {row}\n{page}");
        }
    }
    let inked = chart.inked(&Look::default()).unwrap();
    assert_ne!(inked, clean(&inked));
    assert_eq!(clean(&inked), chart.text(&Look::default()));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let wave: Vec<_> = (0..400).map(|i| Some(0.2 + 0.1 * f64::from(i).sin())).collect();
    for width in [40, 60, 80, 120, 200] {
        for unicode in [true, false] {
            for count in [1, 2, 31, 400] {
                let page = page(&sample(&[&wave[..count], &wave[..count]]), width, unicode);
                let widest = page.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(usize::from(width)), "{width}: {widest:?}\n{page}");
            }
        }
    }
}

#[test]
fn batches_are_named_under_their_days() {
    let mut chart = sample(&[&[Some(0.2); 30]]);
    let span = |batch: &str, from: &str, to: &str| BatchSpan {
        batch: batch.into(),
        from: from.into(),
        to: to.into(),
    };
    chart.lines[0].batches = vec![
        span("b1", "2024-01-02", "2024-01-20"),
        span("b12", "2024-01-21", "2024-01-30"),
        span("b2", "2024-01-31", "2024-01-31"),
    ];
    let page = page(&chart, 80, false);
    let strip = page.lines().find(|line| line.trim_start().starts_with("iv ")).unwrap();
    assert!(strip.contains("|b1-") && strip.contains("-|b12-"), "{strip}");
    assert!(!strip.contains("b2 ") && strip.ends_with('|'), "{strip}");
}

#[test]
fn flat_single_negative_and_empty_lines_are_drawn() {
    for values in [vec![Some(0.2)], vec![Some(0.2); 5], vec![Some(0.0); 3]] {
        assert!(page(&sample(&[&values]), 80, true).contains(" %"), "{values:?}");
    }
    let mut chart = sample(&[&[Some(-713.0), Some(2.5)]]);
    chart.lines[0].unit = "points";
    assert!(page(&chart, 80, true).contains("−713.00 pts"), "{}", page(&chart, 80, true));
    let _ = page(&sample(&[]), 80, true) + &page(&sample(&[&[]]), 80, true);
}
