//! The audit as a page: for a file, for paper, for whoever has no volledger.

use super::super::audit::{findings, meaning, what};
use super::super::numbers::{MISSING, count, counted, short};
use super::super::svg::escaped;
use super::AUDIT_STYLE_DIGEST;
use crate::app::report::{Audit, AuditBatch};
use std::fmt::Write;

/// The page's style.
pub(super) const STYLE: &str = include_str!("audit.css");

fn row(cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

fn head(names: &[&str]) -> String {
    let names: String = names.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    format!("<div class=\"scroll\"><table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n")
}

fn section(out: &mut String, batch: &AuditBatch) {
    let _ = write!(
        out,
        "<section id=\"{name}\">\n<div class=\"head\"><h3>{name}</h3><span class=\"state\">{}</span>\
         <span>{}</span><span>{} of {}</span>",
        escaped(batch.state),
        escaped(&batch.series.join(" ")),
        counted(batch.events, "event"),
        counted(u64::from(batch.symbols), "symbol"),
        name = escaped(&batch.batch),
    );
    for (number, what) in [(batch.rejected, "rejected"), (batch.erased, "erased")] {
        if number > 0 {
            let _ = write!(out, "<span>{} {what}</span>", count(number));
        }
    }
    *out += "</div>\n";
    *out += &head(&["what", "by", "when", "entry", "log root", "reason"]);
    for act in &batch.acts {
        *out += &row(&[
            escaped(&what(act)),
            escaped(&act.actor),
            escaped(&act.time),
            format!("#{}", act.position),
            format!("<code title=\"{}\">{}</code>", act.log_root, short(&act.log_root)),
            escaped(act.reason.as_deref().unwrap_or_default()),
        ]);
    }
    *out += "</tbody>\n</table></div>\n<dl>";
    let mut fact = |name: &str, value: String| {
        let _ = write!(out, "<dt>{name}</dt><dd>{value}</dd>");
    };
    fact("findings", escaped(&findings(batch)));
    if !batch.accepted.is_empty() {
        fact("accepted by confirming", escaped(&batch.accepted.join("; ")));
    }
    for source in &batch.sources {
        let name = escaped(&source.name);
        let bytes = counted(source.bytes, "byte");
        fact("source", format!("{name}, {bytes}, <code>{}</code>", source.digest));
    }
    fact("mapping", escaped(&batch.mapping));
    fact("content id", format!("<code>{}</code>", batch.content_id));
    let token = batch.token.as_deref().unwrap_or(MISSING);
    fact("token confirmed", format!("<code>{token}</code>"));
    fact("batch root", format!("<code>{}</code>", batch.batch_root));
    *out += "</dl>\n</section>\n";
}

/// The audit as a page, complete and on its own: no script, no network.
pub fn audit_page(audit: &Audit) -> String {
    let title = format!("Audit of a volatility ledger at #{}", audit.position);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{AUDIT_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <p class=\"facts\">Log root <code>{}</code></p>\n",
        audit.log_root
    );
    let only = [("of", &audit.actor), ("since", &audit.since)];
    let only = only.iter().filter_map(|(word, value)| Some(format!("{word} {}", value.as_ref()?)));
    let only = only.collect::<Vec<_>>().join(" ");
    let scope =
        if only.is_empty() { "every batch".to_owned() } else { format!("only batches {only}") };
    let batches = counted(audit.batches.len() as u64, "batch");
    let _ = write!(
        out,
        "<p class=\"facts\">{batches}, {}</p>\n<h2>What stands out</h2>\n",
        escaped(&scope)
    );
    for finding in &audit.findings {
        let _ = writeln!(
            out,
            "<p class=\"found\"><b>{}</b>: {} (entry #{} by {})</p>",
            meaning(finding.code),
            escaped(&finding.text),
            finding.position,
            escaped(&finding.actor)
        );
    }
    if audit.findings.is_empty() {
        out += "<p class=\"calm\">Nothing: no batch was confirmed by its stager or in spite of \
                findings, nothing was erased, the clock never ran back.</p>\n";
    }
    out += "<h2>Batches</h2>\n";
    for batch in &audit.batches {
        section(&mut out, batch);
    }
    out + "</main>\n</body>\n</html>\n"
}
