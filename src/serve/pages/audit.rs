//! Who did what with which batch, and whether everything is as recorded.

use super::{Page, batch_link, digest, entry_link, links, proof, state, table, time};
use crate::app::audit::{AuditQuery, audit};
use crate::app::error::Result;
use crate::app::report::VerifyReport;
use crate::app::verify as check;
use crate::serve::Site;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, find, t};
use maud::html;

/// Sources of a batch.
const FEW: usize = 3;

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let word = |name: &str| here.ask.word(name).map(str::to_owned);
    let query = AuditQuery { actor: word("actor"), since: word("since"), at: here.at()? };
    let audit = audit(here.ledger, &query)?;
    here.answer(&audit, |audit| {
        let findings: Vec<_> = audit.findings.iter().map(|finding| vec![
            entry_link(finding.position),
            html! { code { (finding.code) } },
            html! { @if let Some(batch) = &finding.batch { (batch_link(batch)) } },
            html! { (finding.actor) },
            html! { (finding.text) },
        ]).collect();
        let body = html! {
            h1 { (t("Audit")) }
            p { (t("Head #")) (audit.position) (t(", log root ")) code.long { (audit.log_root) } }
            form.decide method="post" action="/verify/deep" {
                (proof(here.site))
                a.button href="/verify" { (t("Verify now")) }
                button { (t("Verify every byte")) }
            }
            form.filter method="get" action="/audit" {
                (links::kept(here.ask, &["at"]))
                label for="actor" { (t("Who")) }
                input id="actor" name="actor" value=(word("actor").unwrap_or_default()) maxlength="80";
                label for="since" { (t("since")) }
                input id="since" name="since" value=(word("since").unwrap_or_default())
                    placeholder=(t("#12 or 2025-01-31")) maxlength="40";
                button { (t("Show")) }
            }
            section {
                h2 { (t("What stands out")) }
                @if findings.is_empty() { p { (t("Nothing.")) } }
                @else { (table("For an auditor to look at",
                    &["entry", "code", "batch", "who", "what"], &findings)) }
            }
            section {
                h2 { (t("Batch by batch")) }
                @if audit.batches.is_empty() { p { (t("None.")) } }
                ol.timeline { @for batch in audit.batches.iter().rev() { li {
                    h3 { (batch_link(&batch.batch)) " " (state(batch.state)) }
                    p { (batch.series.join(" ")) ", " (counted(batch.events, "event")) (t(", root "))
                        (digest(&batch.batch_root))
                        @for source in batch.sources.iter().take(FEW) { ", " (source.name) }
                        @if batch.sources.len() > FEW {
                            ", … (" (counted(batch.sources.len() as u64, "source")) ")"
                        } }
                    ul { @for act in &batch.acts { li {
                        (time(&act.time)) " " (entry_link(act.position)) " " strong { (find(act.what)) }
                        (t(" by ")) (act.actor)
                        @if let Some(reason) = &act.reason { ": " (reason) }
                    } } }
                } } }
            }
        };
        Ok(Page::new("Audit", "/audit", body).itself())
    })
}

pub(super) fn verify(here: &Here<'_>) -> Result<Answer> {
    let report = check::verify(here.ledger, false, here.run)?;
    here.site.keep_verified(&report);
    here.answer(&report, |report| Ok(verified(here.site, report)))
}

/// How far a verification looks.
pub(super) fn depth(deep: bool) -> &'static str {
    match deep {
        true => t("every byte"),
        false => t("the log, and every block in its place"),
    }
}

/// What a verification found.
pub(in crate::serve) fn verified(site: &Site, report: &VerifyReport) -> Page {
    let depth = depth(report.deep);
    let body = html! {
        h1 { (t("Verification")) }
        @if report.ok {
            p.good { (t("✓ Everything is as recorded (")) (depth) ")." }
        } @else {
            p.bad role="alert" { (t("✗ Not everything is as recorded.")) }
        }
        p { (t("Position #")) (report.position) (t(", log root ")) code.long { (report.log_root) } }
        p { (counted(report.events, "event")) ", " (counted(report.batches, "batch")) ", "
            (counted(report.sources, "source"))
            // Only a deep one looks at them.
            @if report.deep { ", " (counted(report.projections, "view")) } "." }
        ul {
            @for line in &report.damage { li { (line.place) ": " (line.what) } }
            @for line in &report.stale { li { (line) } }
        }
        @if !report.deep {
            form method="post" action="/verify/deep" { (proof(site))
                button { (t("Verify every byte")) } }
        }
    };
    Page::new("Verification", "/audit", body)
}
