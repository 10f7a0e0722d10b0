//! Questions that are kept answered: their versions, how these differ, and whether they are current.

use super::{Page, digest, entry_link, links, named, proof, table};
use crate::app::error::{AppError, Result};
use crate::app::projection;
use crate::app::report::{ProjectionChange, ProjectionDiff, ProjectionLine};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::render::numbers::{self, count};
use crate::render::projection::cell;
use crate::serve::ask::{Answer, Here, encoded};
use crate::serve::words::{counted, find, t};
use maud::{Markup, html};
use serde_json::Value as Json;

/// Values that a page shows of a difference.
const MOST: usize = 100;

/// Name and version, as addresses have it.
fn name(line: &ProjectionLine) -> String {
    format!("{}@{}", line.name, line.version)
}

/// The address of one, or of what differs in it.
fn at(here: &Here<'_>, name: &str, what: &str, words: &[(&str, &str)]) -> String {
    here.to(&format!("/projections/{}{what}", encoded(name)), words)
}

/// A form that acts on a projection; a view has no version.
fn form(here: &Here<'_>, line: &ProjectionLine, act: &str, label: &str) -> Markup {
    let name = if line.kind == "view" { line.name.clone() } else { name(line) };
    html! { form method="post" action=(format!("/projections/{}/{act}", encoded(&name))) {
        (proof(here.site))
        button aria-label=(format!("{} {name}", find(label))) { (find(label)) }
    } }
}

/// What can be done with one: the forms that its state allows.
fn forms(here: &Here<'_>, line: &ProjectionLine) -> Markup {
    // What is done is done now, so the past offers nothing.
    if !here.site.options.allow_decisions || here.ask.word("at").is_some() {
        return html! {};
    }
    let kept = line.kind == "view" || !matches!(line.state, "dropped" | "on-demand");
    let behind = kept && matches!(line.state, "stale" | "empty");
    html! { div.acts {
        @if behind { (form(here, line, "refresh", "Refresh")) }
        @if kept { (form(here, line, "rebuild", "Rebuild")) }
        @if kept && line.kind != "view" && !line.promoted { (form(here, line, "promote", "Promote")) }
    } }
}

pub(super) fn list(here: &Here<'_>) -> Result<Answer> {
    let list = projection::list(&here.vantage()?)?;
    here.answer(&list, |list| {
        let versions = |of: &ProjectionLine| {
            list.projections.iter().filter(|line| line.name == of.name && line.kind != "view").count()
        };
        let rows: Vec<_> = list.projections.iter().map(|line| {
            let own = name(line);
            vec![
                html! { @if line.kind == "view" { (line.name) } @else {
                    a href=(at(here, &own, "", &[])) { (own) } } },
                html! { (find(line.kind)) },
                html! { span class={ "state " (line.state) } { (find(line.state)) }
                    @if let Some(parts) = line.stale_parts { " (" (counted(parts, "part")) ")" } },
                html! { @if line.promoted { (t("yes")) }
                    @else if line.kind != "view" && versions(line) > 1 {
                        a href=(at(here, &own, "/diff", &[])) { (t("what differs")) } } },
                html! { @if let Some(at) = line.at { (entry_link(at)) } },
                html! { @if let Some(rows) = line.rows { (count(rows)) } },
                html! { @if let Some(of) = &line.digest { (digest(of)) } },
                html! { (line.inputs.join(" ")) @if let Some(error) = &line.error { " ✗ " (error) } },
                forms(here, line),
            ]
        }).collect();
        let headings =
            ["name", "kind", "state", "promoted", "at", ">rows", "digest", "made from", "acts"];
        let body = html! {
            h1 { (t("Projections")) }
            @if let Some(built) = here.ask.word("built") {
                div.done role="status" { p { (t("Computed: ")) strong { (built) } "." } }
            }
            @if let Some(promoted) = here.ask.word("promoted") {
                div.done role="status" { p { (t("Promoted: ")) strong { (promoted) } "." } }
            }
            p { (t("At #")) (list.position) "." }
            (table("Views first", &headings, &rows))
        };
        Ok(Page::new("Projections", "/projections", body))
    })
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let asked: ProjectionName = here.ask.name(0)?;
    let vantage = here.vantage()?;
    let shown = projection::show(&vantage, &asked)?;
    here.answer(&shown, |shown| {
        let line = &shown.line;
        let columns: Vec<_> = shown.columns.iter().map(|(name, about)| {
            vec![html! { code { (name) } }, html! { (about) }]
        }).collect();
        let query = format!("SELECT * FROM {} LIMIT 100", line.name);
        let others: Vec<ProjectionLine> = projection::list(&vantage)?.projections.into_iter()
            .filter(|other| other.name == line.name && other.kind != "view").collect();
        let body = html! {
            h1 { (t("Projection ")) (name(line)) }
            p { (shown.about) }
            dl {
                dt { (t("kind")) } dd { (find(line.kind)) }
                dt { (t("state")) } dd { (line.state) @if let Some(error) = &line.error { ": " (error) } }
                dt { (t("promoted")) } dd { @if line.promoted { (t("yes")) } @else { (t("no")) } }
                @if let Some(of) = &line.digest { dt { (t("digest")) } dd { code.long { (of) } } }
                dt { (t("asked")) } dd { @if shown.by_symbol { (t("for each symbol")) } @else { (t("whole")) } }
                @if others.len() > 1 { dt { (t("versions")) } dd { @for other in &others {
                    @if other.version == line.version { (name(other)) " " } @else {
                        a href=(at(here, &name(line), "/diff", &[("with", &name(other))])) {
                            (name(other)) } " "
                    }
                } } }
            }
            (forms(here, line))
            @if let Some(sql) = &shown.sql { pre tabindex="0" { (sql) } }
            @if !columns.is_empty() { (table("Columns", &["name", "what"], &columns)) }
            p { a href=(here.to("/sql", &[("q", &query)])) { (t("Its rows")) } }
        };
        Ok(Page::new(asked.to_string(), "/projections", body))
    })
}

/// Two versions side by side: this one and the one that is promoted, or another that is named.
pub(super) fn diff(here: &Here<'_>) -> Result<Answer> {
    let asked: ProjectionName = here.ask.name(0)?;
    let vantage = here.vantage()?;
    let with = match here.ask.parsed::<ProjectionName>("with")? {
        Some(with) => with,
        None => beside(&vantage, &asked)?,
    };
    if vantage.id(&with)? == vantage.id(&asked)? {
        return Err(AppError::Usage(format!("{with} and {asked} are the same version")));
    }
    let diff = projection::diff(&vantage, &with, &asked)?;
    here.answer(&diff, |diff| {
        let lines = projection::list(&vantage)?.projections;
        let of = |id: &str| lines.iter().find(|line| line.kind != "view" && name(line) == id);
        let behind: Vec<&ProjectionLine> = [&diff.a, &diff.b]
            .into_iter()
            .filter_map(|id| of(id))
            .filter(|line| matches!(line.state, "stale" | "empty" | "broken"))
            .collect();
        let second = of(&diff.b).ok_or_else(|| AppError::NoProjection(diff.b.clone()))?;
        let link = |id: &str| html! { a href=(at(here, id, "", &[])) { (id) } };
        let body = html! {
            h1 { (diff.a) (t(" and ")) (diff.b) }
            p { (t("At #")) (diff.position) ": " (link(&diff.a)) (t(" beside ")) (link(&diff.b)) ". "
                (counted(diff.same, "row")) (t(" the same, ")) (count(diff.changed)) (t(" different, "))
                (count(diff.only_a)) (t(" only in the first, ")) (count(diff.only_b))
                (t(" only in the second.")) }
            @for line in &behind {
                p.note { (name(line)) ": " span class={ "state " (line.state) } { (find(line.state)) }
                    (t(". What is stored of it is behind; here it is computed anew.")) }
            }
            @if !diff.other_columns.is_empty() {
                p { (t("Columns that only one of them has: ")) (diff.other_columns.join(", ")) "." }
            }
            form.filter method="get" action=(format!("/projections/{}/diff", encoded(&diff.b))) {
                (links::kept(here.ask, &["at"]))
                label for="with" { (t("Beside")) }
                select id="with" name="with" {
                    @for line in lines.iter().filter(|line| line.kind != "view" && line.state != "dropped"
                        && name(line) != diff.b) {
                        @let id = name(line);
                        option value=(id) selected[id == diff.a] { (id) }
                    }
                }
                button { (t("Show")) }
            }
            (columns(diff))
            (changes(diff))
            (forms(here, second))
        };
        Ok(Page::new(format!("{} – {}", diff.a, diff.b), "/projections", body))
    })
}

/// What a version is compared with unless that is said: the one that is promoted, and that one with the
/// newest of the others.
fn beside(vantage: &Vantage, asked: &ProjectionName) -> Result<ProjectionName> {
    let promoted = ProjectionName { version: None, ..asked.clone() };
    if vantage.id(asked)? != vantage.id(&promoted)? {
        return Ok(promoted);
    }
    let lines = projection::list(vantage)?.projections;
    let others = lines.iter().filter(|line| {
        line.kind != "view" && line.state != "dropped" && !line.promoted && line.name == *asked.name
    });
    let version = others.map(|line| line.version).max();
    let none = || AppError::NoProjection(format!("there is one version only of {}", asked.name));
    Ok(ProjectionName { version: Some(version.ok_or_else(none)?), ..asked.clone() })
}

/// In which columns versions differ: in how many rows, and where a number does most.
fn columns(diff: &ProjectionDiff) -> Markup {
    let rows: Vec<Vec<Markup>> = diff
        .columns
        .iter()
        .filter_map(|column| {
            let own =
                || diff.changes.iter().filter(|change| change.column.as_ref() == Some(column));
            let far = |change: &ProjectionChange| {
                Some((change.a.as_f64()? - change.b.as_f64()?).abs()).filter(|far| far.is_finite())
            };
            let most = own().filter_map(|change| Some((far(change)?, change)));
            let most = most.max_by(|(a, _), (b, _)| a.total_cmp(b));
            let keys = |change: &ProjectionChange| {
                change.key.iter().map(cell).collect::<Vec<_>>().join(" ")
            };
            let count = own().count();
            (count > 0).then(|| {
                vec![
                    html! { code { (column) } },
                    html! { (numbers::count(count as u64)) },
                    html! { @if let Some((far, _)) = most { (rounded(far)) } },
                    html! { @if let Some((_, change)) = most { span.day { (keys(change)) } } },
                ]
            })
        })
        .collect();
    html! { @if !rows.is_empty() {
        (table("Columns that differ", &["column", ">rows", ">largest difference", "where"], &rows))
    } }
}

/// A number with six digits that count.
fn rounded(number: f64) -> String {
    if number == 0.0 || (number.fract() == 0.0 && number.abs() < 1e15) {
        return format!("{number:.0}");
    }
    let digits = (5 - number.abs().log10().floor() as i32).clamp(0, 15) as usize;
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Two values that differ, the digits that count of each; all of them where these are the same.
fn pair(a: &Json, b: &Json) -> [Markup; 2] {
    let short = |value: &Json| match value {
        Json::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| cell(value), rounded)
        }
        other => cell(other),
    };
    let same = short(a) == short(b);
    [a, b].map(|value| match same || short(value) == cell(value) {
        true => html! { (cell(value)) },
        false => html! { span title=(cell(value)) { (short(value)) } },
    })
}

fn changes(diff: &ProjectionDiff) -> Markup {
    let rows: Vec<Vec<Markup>> = diff
        .changes
        .iter()
        .take(MOST)
        .map(|change| {
            let key = change.key.iter().map(|value| html! { span.day { (cell(value)) } });
            let column = change.column.clone().unwrap_or_else(|| t("(row)").to_owned());
            let [a, b] = pair(&change.a, &change.b);
            key.chain([html! { (column) }, a, b]).collect()
        })
        .collect();
    let (a, b) = (format!(">{}", diff.a), format!(">{}", diff.b));
    let mut headings: Vec<&str> = diff.keys.iter().map(String::as_str).collect();
    headings.extend([t("column"), &a, &b]);
    html! {
        @if rows.is_empty() { p { (t("Nothing differs.")) } }
        @else { (named(t("What differs"), &headings, &rows)) }
        @if diff.changes.len() > MOST {
            p { (t("The first ")) (MOST) (t(" of ")) (count(diff.changes.len() as u64)) (t("; all of them: "))
                code { "volledger projection diff " (diff.a) " " (diff.b) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (number, text) in [
            (0.069_776_617_662_123_46, "0.0697766"),
            (121_954_638.0, "121954638"),
            (143.026_580_810_546_88, "143.027"),
            (-1_234_567.25, "-1234567"),
            (0.5, "0.5"),
            (0.0, "0"),
            (1e-20, "0"),
        ] {
            assert_eq!(rounded(number), text);
        }
        let shown = |a: f64, b: f64| pair(&a.into(), &b.into()).map(|cell| cell.into_string());
        let long = "<span title=\"0.1234567\">0.123457</span>";
        assert_eq!(shown(0.123_456_7, 0.5), [long, "0.5"]);
        // Else they would look the same.
        assert_eq!(shown(0.123_456_71, 0.123_456_72), ["0.12345671", "0.12345672"]);
    }
}
