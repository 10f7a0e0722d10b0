//! What a fetch tells: its plan, what it leaves out, and how it ended as a whole.

use crate::app::fetch::{Asked, OutcomeLine, Question, What};
use crate::app::report::FetchPlan;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{BatchId, Fact};
use crate::render::numbers::counted;
use crate::render::{grouped, refused};
use std::collections::BTreeSet;

/// Tells that days are not asked since they were taken back; where these are all, that is a refusal.
pub(super) fn left_out(
    ui: &mut Ui,
    batch: BatchId,
    (erased, what): (bool, What),
    all: bool,
) -> Outcome<()> {
    let anew = "ask for it anew with `--again --reason TEXT`";
    let (how, before, hint) = match erased {
        true => ("erased from", "erased from", anew.to_owned()),
        false => {
            let back = format!("bring it back with `volledger batch reinstate {batch}`");
            ("rolled back with", "rolled back before, with", format!("{back}, or {anew}"))
        }
    };
    if all {
        let text = format!("what is missing was {before} {batch}");
        // A list says all again each day.
        let hint = match what {
            What::Calendar | What::Earnings | What::Tickers => {
                format!("{hint}; tomorrow's is asked for")
            }
            _ => hint,
        };
        return Err(Failure::of(Exit::RolledBackBefore, text, hint));
    }
    ui.note(&format!("days that were {how} {batch} are not asked (`--again` does)"));
    Ok(())
}

/// Tells which answers that waited are left out, since what they say was taken back meanwhile.
pub(super) fn not_brought_back(ui: &mut Ui, withheld: &[(Question, Option<BatchId>)]) {
    let Some((first, _)) = withheld.first() else { return };
    let mut batches: Vec<String> =
        withheld.iter().flat_map(|of| of.1).map(|id| id.to_string()).collect();
    batches.sort();
    batches.dedup();
    let about = first.symbol.as_ref().map_or_else(|| "all symbols".into(), ToString::to_string);
    let of = if batches.is_empty() { String::new() } else { format!(" ({})", batches.join(", ")) };
    let (count, series) = (withheld.len(), first.series);
    let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    ui.note(&format!(
        "the answer about {series} of {about}{more} that waited is left out: what it says was taken back \
         after it had been asked for{of} (`--again` asks anew)"
    ));
}

/// What is to be said when no further request had a chance.
pub(super) fn shut_text(asked: &Asked) -> Option<String> {
    let text = asked.shut.as_ref()?;
    let unasked = asked.left.saturating_sub(asked.tried);
    let told = [(asked.tried, "got", "got", "no answer"), (unasked, "was", "were", "not asked")];
    let told = told.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many, what)| {
        let verb = if count == 1 { one } else { many };
        format!("{} {verb} {what}", counted(count, "question"))
    });
    let told: Vec<String> = told.collect();
    Some(match told.is_empty() {
        true => text.clone(),
        false => format!("{}: {text}", told.join(", ")),
    })
}

/// What is to be done about what the service's plan does not include.
pub(super) const REFRESH: &str = "after a change of plan ask again with `--refresh`";

/// What is to be said where nothing of what is wanted is known, since the service's plan does not
/// include it: the answer to the first time stays the answer.
pub(super) fn denied(has_data: bool, plan: &FetchPlan) -> Option<String> {
    let (first, all) = (plan.not_entitled.first()?, refused(plan)?);
    let said = if first.text.is_empty() { "" } else { ": " };
    (!has_data).then(|| format!("the plan does not include {all}{said}{}", first.text))
}

/// What the answers say as a whole, when not all is well; `denied_before` is of what was not asked.
pub(super) fn verdict(
    outcomes: &[OutcomeLine],
    denied_before: Option<String>,
) -> Option<(Exit, String, String)> {
    let has = |outcome: &OutcomeLine, fact| outcome.facts.iter().any(|(_, _, f)| *f == fact);
    // What failed in an earlier fetch is asked again by whoever wants it; if that was now, it is told.
    let of_now = |outcome: &&OutcomeLine| !(outcome.earlier && has(outcome, Fact::Failed));
    let outcomes: Vec<&OutcomeLine> = outcomes.iter().filter(of_now).collect();
    let failed: Vec<&OutcomeLine> =
        outcomes.iter().copied().filter(|outcome| has(outcome, Fact::Failed)).collect();
    // One question about all stocks has an outcome for each that was wanted.
    let questions = |of: &[&OutcomeLine]| {
        of.iter().map(|outcome| &outcome.question.target).collect::<BTreeSet<_>>().len()
    };
    let name = |outcome: &OutcomeLine| {
        if outcome.question.is_about_all_stocks() {
            return format!("all stocks of {} ({})", outcome.question.to, outcome.ended);
        }
        let symbol = outcome.question.symbol.as_ref().map(ToString::to_string);
        format!("{} ({})", symbol.unwrap_or_else(|| "all symbols".into()), outcome.ended)
    };
    if let Some(first) = failed.first() {
        let refused = failed.iter().all(|outcome| outcome.ended == "rejected");
        let exit = if refused { Exit::Failed } else { Exit::Network };
        let count = questions(&failed);
        let text = format!(
            "{count} of {} questions failed, the first was {}: {}",
            questions(&outcomes),
            name(first),
            first.text
        );
        let hint = match refused {
            true => format!(
                "what the service refuses it refuses again: look at what it says of `{}`, and change what \
                 is asked for",
                first.question.target
            ),
            false => "the same command asks for the rest again".to_owned(),
        };
        return Some((exit, text, hint));
    }
    // A plan that is too short has no days before those that it lacks.
    if let Some(lapsed) = outcomes.iter().find(|outcome| outcome.lapsed) {
        let (of, said) = (name(lapsed), &lapsed.text);
        let text = format!("the plan does not include {of}, of which earlier days came: {said}");
        return Some((Exit::Plan, text, "the same command asks for these days again".to_owned()));
    }
    let any = outcomes.iter().any(|outcome| has(outcome, Fact::Data));
    let denied = outcomes.iter().find(|outcome| has(outcome, Fact::NotEntitled));
    if let (false, Some(denied)) = (any, denied) {
        let text = format!("the plan does not include {}: {}", name(denied), denied.text);
        return Some((Exit::Plan, text, REFRESH.to_owned()));
    }
    let lost = outcomes.iter().find(|outcome| outcome.ended == "not-found");
    if let (false, Some(lost)) = (any, lost) {
        let text = format!("the service does not know {}: {}", name(lost), lost.text);
        let hint = "check the symbol; indices begin with `I:`".to_owned();
        return Some((Exit::Failed, text, hint));
    }
    denied_before.filter(|_| !any).map(|text| (Exit::Plan, text, REFRESH.to_owned()))
}

/// Says what is going to be asked, and of what nothing is.
pub(super) fn announce(ui: &mut Ui, told: &FetchPlan) {
    let count = told.questions;
    let mut text = match count {
        0 => "Plan: nothing to ask".to_owned(),
        _ => format!("Plan: {}", counted(count, "request")),
    };
    match told.requests_per_minute {
        0 => {}
        n if count > 1 && told.seconds > 0.0 => {
            text += &format!(", at {n} a minute at least {}", duration(told.seconds));
        }
        n => text += &format!(", {n} a minute allowed"),
    }
    if let Some(day) = &told.day {
        let left = day.requests.saturating_sub(day.spent);
        text += &format!(", {left} of the {} of a day are left", day.requests);
    }
    if let Some(grouped) = grouped(told) {
        text += &format!("; {grouped}");
    }
    if told.kept > 0 {
        let kept = counted(told.kept, "answer");
        text += &format!("; {kept} kept from an interrupted fetch");
    }
    if told.covered > 0 {
        text += &format!("; nothing is missing of {}", counted(told.covered, "symbol"));
    }
    if let symbols @ 1.. = told.refused_symbols() {
        text += &format!("; of {} not all is in the service's plan", counted(symbols, "symbol"));
    }
    ui.say(&text);
}

/// A duration as a person says it.
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_shortly() {
        for (seconds, want) in [(0.0, "0 s"), (59.2, "1 min 0 s"), (5988.0, "1 h 39 min")] {
            assert_eq!(duration(seconds), want);
        }
    }
}
