//! `fetch`: plan what is missing, ask the service, review what came, and decide.

mod service;
mod told;
mod words;

pub(in crate::cli) use service::{asks, providers, reached};
pub(in crate::cli) use words::FetchArgs;

use super::derive;
use crate::app::Ledger;
use crate::app::derive::Derivation;
use crate::app::fetch::{self, CoverageMap, Provider, Service, Settled, Stop, What, Wish};
use crate::app::import::{Outcome as Came, Staged};
use crate::app::prepared;
use crate::app::report::{FetchCache, FetchLine, FetchPlan, FetchReport, Review};
use crate::cli::args::Overlap;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::flow::{self, Deciding};
use crate::cli::interrupt;
use crate::cli::ui::Ui;
use crate::config::PolygonSettings;
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Calendar};
use crate::render::numbers::counted;
use crate::render::{FetchPage, ReviewPage, refused};
use std::sync::Arc;
use words::wish;

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &FetchArgs) -> Outcome<Exit> {
    let settings = PolygonSettings::from_environment(&ctx.settings.files)?;
    let mut reached = reached(args.provider(), &ctx.settings.files)?.with(&args.service);
    if settings.keys_differ && reached.provider == Provider::Polygon {
        ui.note("MASSIVE_API_KEY and POLYGON_API_KEY hold two keys; the first one is used");
    }
    let wish = wish(ctx, args, &settings, &reached.base_path)?;
    let per_minute = reached.pace.per_minute;

    // The ledger is not held while the service is asked: that may take hours.
    let directory = ctx.directory()?;
    let open = if args.dry_run { fetch::inbox_to_plan } else { fetch::open_inbox };
    let mut inbox = open(&directory, &ctx.holder(), ctx.settings.patience)?;
    if inbox.was_cut() {
        ui.note(
            "the inbox ended in the middle of an answer, which is asked again; until then the file as \
             it was is inbox/arrived.cut",
        );
    }
    // Planned only now: the fetch that had the inbox before may have answered all of it.
    let ledger = ctx.open(ui)?;
    let mut coverage = CoverageMap::of(&ledger, wish.days(Calendar::nyse()))?;
    let (view, today) = (wish.what.series(), ctx.run().clock.market_day());
    if wish.source == Provider::Polygon && fetch::is_adjusted(view) {
        coverage.compare_with_views(&ledger, view, wish.symbols.iter(), today)?;
    }
    let waiting = fetch::unless_taken_back(&ledger, fetch::waiting(&inbox).0)?;
    let (plan, kept) = fetch::plan_beside(&wish, &coverage, Calendar::nyse(), &waiting);
    let position = ledger.position();
    // The pace of a minute goes on as well: a second run is no reason for a second burst.
    if wish.source.counts_days() || !plan.questions.is_empty() {
        reached.pace.spent = fetch::spent(&ledger, &inbox, wish.source, wish.now_ms)?;
    }
    let limits = service::cache_limits(&ctx.settings.files);
    let recorded = fetch::recorded(&ledger, &inbox, limits, wish.now_ms)?;
    // A batch whose days are left out counts where something was erased of it.
    let erased = plan.rolled_back.last().and_then(|id| ledger.batches().get(*id));
    let erased = erased
        .is_some_and(|batch| matches!(batch.state(), BatchState::Staged | BatchState::Active));
    drop(ledger);
    let mut report = FetchReport {
        source: wish.source.name(),
        plan: FetchPlan::of(&plan, kept, (per_minute, reached.at_once()), args.dry_run)
            .of_a_day(reached.pace.per_day, reached.pace.spent.in_a_day),
        ..FetchReport::default()
    };
    if args.dry_run {
        ui.page(&FetchPage { report: &report, planned: true })?;
        if let Some(batch) = plan.rolled_back.last() {
            told::left_out(ui, *batch, (erased, wish.what), false)?;
        }
        ui.hint("nothing was asked; leave out `--dry-run` to ask");
        return Ok(Exit::Done);
    }
    told::announce(ui, &report.plan);
    let denied = told::denied(plan.has_data, &report.plan);
    if let Some(batch) = plan.rolled_back.last() {
        let all = plan.questions.is_empty() && kept == 0;
        told::left_out(ui, *batch, (erased, wish.what), all)?;
    }
    ui.let_go()?;
    let mut shut = None;
    if !plan.questions.is_empty() {
        if !reached.has_key() {
            return Err(Failure::of(
                Exit::Credentials,
                match wish.source {
                    Provider::Polygon => "there is no key for the service".to_owned(),
                    other => format!("there is no key for {}", other.title()),
                },
                reached.key_hint,
            ));
        }
        let key_from = reached.key_from.clone();
        let service = Service::new(reached.options())?.with_cache(limits, recorded, args.refresh);
        let stop = Arc::new(Stop::default());
        let heard = Arc::clone(&stop);
        let told = move || {
            // Told twice, it ends at once: every answer is kept when it arrives.
            if heard.is_set() {
                std::process::exit(Exit::Interrupted as i32);
            }
            heard.set();
        };
        let ask = || service.ask(&plan, &mut inbox, position, &stop, &ctx.run());
        let asked = interrupt::instead(told, ask)?;
        report.requests = asked.requests;
        report.left = asked.left;
        report.cache = FetchCache::of(&asked.cache);
        let kept = fetch::waiting(&inbox).0.iter().filter(|kept| kept.is_answer()).count();
        if let Some(text) = &asked.refused {
            return Err(Failure::of(
                Exit::Credentials,
                format!("the service refused the key from {key_from}: {text}"),
                format!(
                    "check the key; the same command goes on ({} kept)",
                    counted(kept as u64, "answer")
                ),
            ));
        }
        if let Some(text) = &asked.gave_up {
            ui.say(&format!(
                "! one question after the other failed, the rest was not asked: {text}"
            ));
        }
        shut = told::shut_text(&asked);
        if asked.stopped {
            return Err(Failure::of(
                Exit::Interrupted,
                format!("stopped; {kept} of {} answers are kept", plan.questions.len()),
                "the same command goes on where it was",
            ));
        }
    }
    let mut ledger = ctx.open(ui)?;
    let options = fetch::SettleOptions {
        keep: args.overlap == Overlap::Keep,
        again: args.again.reason.clone(),
        full: args.full,
    };
    let settled = fetch::settle(&mut ledger, &mut inbox, &options, &ctx.run())?;
    drop(inbox);
    finish(ui, ctx, &mut ledger, (settled, shut, denied), report, &wish, args)
}

/// Shows what came, and goes on to the decision about it.
fn finish(
    ui: &mut Ui,
    ctx: &Context,
    ledger: &mut Ledger,
    (settled, shut, denied): (Settled, Option<String>, Option<String>),
    mut report: FetchReport,
    wish: &Wish,
    args: &FetchArgs,
) -> Outcome<Exit> {
    report.dropped = settled.dropped as u64;
    report.outcomes = settled.outcomes.iter().flat_map(FetchLine::of).collect();
    let Settled { staged, outcomes, withheld, refused, .. } = settled;
    told::not_brought_back(ui, &withheld);
    let (refused, others): (Vec<_>, Vec<_>) =
        refused.into_iter().partition(|(of, _)| *of == (wish.what.series(), wish.source));
    let refused = refused.into_iter().next().map(|(_, refusal)| refusal);
    for ((series, _), refusal) in others {
        ui.note(&format!("{series} of an earlier fetch is left out: {refusal}"));
    }
    let later = "the same command asks for the rest later".to_owned();
    let shut = shut.map(|text| (Exit::Network, text, later));
    let told = shut.or_else(|| told::verdict(&outcomes, denied));
    if ui.for_people() {
        ui.show(&FetchPage { report: &report, planned: false })?;
    }
    let (mut own, mut earlier): (Option<Staged>, Vec<BatchId>) = (None, Vec::new());
    for staged in staged {
        let of_wish = staged.batch.and_then(|id| ledger.batches().get(id));
        let is_own = of_wish.is_some_and(|batch| is_of(batch, wish));
        // Of two of this view, the later one has the answers of now.
        let other = if is_own { own.replace(staged) } else { Some(staged) };
        if let Some(batch) = other.and_then(|other| other.batch) {
            ui.note(&format!("{batch} was staged from an earlier fetch that had been interrupted"));
            earlier.extend(is_own.then_some(batch));
        }
    }
    let unattended = args.decide.yes || args.decide.force;
    let mut held = None;
    // First what came first: of days that both have, what came now is shown.
    for batch in earlier.into_iter().filter(|_| unattended) {
        let mut deciding = Deciding { ui, ctx, flags: &args.decide, full: args.full };
        if let Err(exit) = deciding.beside(ledger, batch)? {
            held = Some(exit);
            continue;
        }
        let fresh = own.as_ref().filter(|own| own.outcome == Came::New);
        if let Some(batch) = fresh.and_then(|own| own.batch) {
            // Its review was of the ledger without them.
            let mut now = prepared::staged_before(ledger, batch, args.full, &ctx.run())?;
            (now.outcome, now.review.known) = (Came::New, false);
            own = Some(now);
        }
    }
    // Killed between staging and confirming, or left there: the same words decide about it now.
    let left = waiting_for_decision(ledger, wish, None).first().copied().filter(|_| own.is_none());
    if let (Some(batch), true) = (left, unattended) {
        own = Some(prepared::staged_before(ledger, batch, args.full, &ctx.run())?);
    }
    let own_batch = own.as_ref().and_then(|own| own.batch);
    let waiting = waiting_for_decision(ledger, wish, own_batch);
    report.waiting = waiting.iter().map(ToString::to_string).collect();
    // A batch without a row records only what was asked: nobody needs to look at that first.
    let waits = own.as_ref().map(|staged| &staged.review.rows);
    let waits = waits.is_some_and(|rows| rows.accepted > 0 || rows.rejected > 0);
    let waits = waits || !waiting.is_empty();
    let follows = follows(wish.what).filter(|_| !args.no_derive);
    let exit = match own {
        Some(mut staged) => {
            staged.review.fetch = Some(Box::new(report));
            let batch = staged.batch;
            let mut deciding = Deciding { ui, ctx, flags: &args.decide, full: args.full };
            let (exit, shown) = deciding.settle(ledger, |_| Ok(staged))?;
            let state = batch.and_then(|id| ledger.batches().get(id)).map(|batch| batch.state());
            if state == Some(BatchState::Active) {
                let computed = match follows {
                    Some(what) => derive::follow(ui, ctx, ledger, what, &wish.symbols)?,
                    None => None,
                };
                if let (Some(fetched), Some(computed), true) = (batch, computed, shown) {
                    ui.hint(&format!(
                        "`volledger undo` takes {computed} back; once more, {fetched} as well"
                    ));
                } else if shown || computed.is_some() {
                    ui.hint("take it back with `volledger undo`");
                }
                flow::left_behind(ui, ledger);
            }
            for batch in &waiting {
                ui.note(&format!(
                    "{batch} waits for a decision: its days are not asked again, and no view has them"
                ));
            }
            // Every day anew: an alert does not end because something else came.
            let alert = unattended && !waiting.is_empty();
            let held = held.or(alert.then_some(Exit::Findings));
            held.filter(|_| exit == Exit::Done).unwrap_or(exit)
        }
        None if refused.is_some() => Exit::Done,
        None => {
            // A run that was killed between confirming and computing is made good here.
            if let (true, Some(what)) = (args.decide.yes, follows) {
                derive::follow(ui, ctx, ledger, what, &wish.symbols)?;
            }
            nothing_new(ui, ledger, (left, told.is_some()), report, wish, args)?;
            Exit::Done
        }
    };
    if let Some(refusal) = refused {
        return Err(refusal.into());
    }
    Ok(match told {
        Some((told, text, hint)) => {
            ui.reason(&format!("! {text}"));
            ui.hint(&hint);
            // A batch that waits for a person is told first: the rest mends itself at the next run.
            let first = matches!(exit, Exit::Findings | Exit::NotAsked) && waits;
            if first { exit } else { told }
        }
        None => exit,
    })
}

/// Shows a fetch that left nothing to decide about; `left` waits for a decision from before, and
/// `is_told` says that a reason for the exit code follows, with its hint.
fn nothing_new(
    ui: &mut Ui,
    ledger: &Ledger,
    (left, is_told): (Option<BatchId>, bool),
    report: FetchReport,
    wish: &Wish,
    args: &FetchArgs,
) -> Outcome<()> {
    let mut review = Review::of_nothing(ledger.position().0, &format!("{}/1", wish.source.name()));
    // What was not asked is not known, nor what the service's plan does not include.
    let refused = refused(&report.plan);
    review.known = report.left == 0 && refused.is_none();
    let left_over = report.left > 0;
    review.fetch = Some(Box::new(report));
    if ui.for_people() {
        ui.tell(match left {
            _ if left_over => "Nothing came: not all of it could be asked",
            Some(_) => "Nothing new: what was asked before waits for a decision",
            None if refused.is_some() => "Nothing new, and not all of it is known",
            None => "Nothing new: the ledger knows all of it already",
        })?;
        if let Some(refused) = &refused {
            ui.tell(&format!("  not in the service's plan: {refused}"))?;
        }
        if refused.is_some() && !is_told {
            ui.hint(told::REFRESH);
        }
    } else {
        ui.show(&ReviewPage::new(&review, args.full))?;
    }
    if let Some(batch) = left {
        ui.hint(&format!("look at `volledger batch show {batch}`, then confirm or discard it"));
    }
    Ok(())
}

/// Whether a batch holds answers to such a wish: of the view, and of the service.
fn is_of(batch: &Batch, wish: &Wish) -> bool {
    batch.stage.mapping.id == wish.source.name() && batch.stage.series == wish.what.series()
}

/// Fetched batches of the view that nobody decided about, and that have something to show: their days
/// are not asked again, and no view has them.
fn waiting_for_decision(ledger: &Ledger, wish: &Wish, besides: Option<BatchId>) -> Vec<BatchId> {
    let waits = |batch: &Batch| {
        let staged = batch.state() == BatchState::Staged;
        staged && is_of(batch, wish) && batch.stage.rows.accepted > 0
    };
    let all = ledger.batches().iter();
    all.filter(|(id, batch)| Some(*id) != besides && waits(batch)).map(|(id, _)| id).collect()
}

/// What is computed from what was fetched.
fn follows(what: What) -> Option<Derivation> {
    match what {
        What::Spot => Some(Derivation::Hv),
        What::Chain => Some(Derivation::Iv),
        _ => None,
    }
}
