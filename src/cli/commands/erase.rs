//! `erase` and `retention`: what events said is gone for good, that they were there stays provable.

use crate::app::report::ErasedReport;
use crate::app::{Ledger, erase, retention};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::shell::quoted;
use crate::cli::ui::Ui;
use crate::render::json;
use crate::render::numbers::counted;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
EXAMPLES
  volledger erase b7/3 --plan                                 what would go
  volledger erase b7/3 b9 --reason \"not ours to keep\" --yes   one row, and all of b9

The one thing that cannot be taken back. Values, places and raw text of the events go from every
file of the ledger, and the kept bytes of their sources with them, whole. What stays: the leaf
hashes (so every root and proof of other rows still holds), their numbers, series, symbols and
days, and an entry with who, when, why and what. Views show the next older value, or none, and say
so. Findings and reasons in the log, and copies outside this directory (backups, exports), are not
touched. A row may stand in another batch as well, that of a replay for one: the plan names it.";

const RETENTION: &str = "\
EXAMPLES
  volledger retention apply --dry-run    what is due
  volledger retention apply --yes        erase it

The rules stand in config.toml (`volledger config path`), one line a view:

  [retention]
  chain = \"90d\"      # rows of that view whose day is more than 90 days ago
  iv = \"365d\"
  hv = \"365d\"

A row may speak of several views: one of a Market Chameleon file has implied and realised
volatility. It goes whole or not at all, so only when each of its views has a rule and each rule's
age has passed; a view without a rule keeps its rows. What a rule would take and another view keeps
is listed, with the rule that is missing. Rejected rows have no day, and no rule takes them: those
of batches of which nothing else stays are listed, and `erase` takes them. A run makes one entry (of
more than 500 batches one for each 500), whose reason names the rules. Nothing is done when nothing
is due.";

/// Erase what events said, for good; their hashes stay
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct EraseArgs {
    /// Events (b7/3) or whole batches (b7)
    #[arg(required = true, value_name = "EVENT|BATCH")]
    what: Vec<String>,
    /// Why, for the log, where it stays for ever; a plan needs none
    #[arg(long, value_name = "TEXT", required_unless_present = "plan")]
    reason: Option<String>,
    /// Only say what would go
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Do it without asking
    #[arg(short, long)]
    yes: bool,
}

impl EraseArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        self.plan
    }
}

/// Erase what the settings say is too old
#[derive(Debug, Args)]
#[command(after_help = RETENTION)]
pub(in crate::cli) struct RetentionArgs {
    #[command(subcommand)]
    what: What,
}

impl RetentionArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        let What::Apply { dry_run, .. } = self.what;
        dry_run
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Erase what is due by the rules of the settings
    Apply {
        /// Only say what is due
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
        /// Do it without asking
        #[arg(short, long)]
        yes: bool,
    },
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &EraseArgs) -> Outcome<Exit> {
    let reason = args.reason.as_deref().unwrap_or_default().trim();
    if reason.is_empty() && !args.plan {
        let hint = "say it with `--reason TEXT`; it stays in the log";
        return Err(Failure::usage("an erasure needs a reason", hint));
    }
    let planned = |ledger: &Ledger| -> Outcome<_> {
        let selection = erase::selected(ledger, &args.what)?;
        let elsewhere = erase::elsewhere(ledger, &selection)?;
        let plan = erase::plan(ledger, &selection, reason)?;
        Ok((selection, ErasedReport { elsewhere, ..plan }))
    };
    let mut ledger = ctx.open(ui)?;
    let (mut selection, plan) = planned(&ledger)?;
    match settled(ui, &plan, args.plan, args.yes)? {
        Next::Ends(exit) => {
            also(ui, args, &plan, true);
            return Ok(exit);
        }
        Next::Asks => {
            drop(ledger); // nobody waits for a person who thinks
            if let Some(exit) = asked(ui, &plan)? {
                also(ui, args, &plan, true);
                return Ok(exit);
            }
            ledger = ctx.open(ui)?;
            selection = still(&plan, planned(&ledger)?)?;
        }
        Next::Erases => {}
    }
    let done = erase::erase(&mut ledger, &selection, reason, &ctx.run())?;
    let done = ErasedReport { elsewhere: plan.elsewhere, ..done };
    let exit = conclude(ui, &done)?;
    also(ui, args, &done, false);
    Ok(exit)
}

/// Says how the same rows of other batches are erased, with these or after them.
fn also(ui: &mut Ui, args: &EraseArgs, report: &ErasedReport, with: bool) {
    const FEW: usize = 8;
    if report.elsewhere.is_empty() {
        return;
    }
    let others = report.elsewhere.iter().flat_map(|line| &line.what).map(String::as_str);
    let mine = args.what.iter().map(String::as_str).filter(|_| with);
    let words: Vec<&str> = mine.chain(others).collect();
    let few = words.iter().take(FEW).copied().collect::<Vec<_>>().join(" ");
    let more = if words.len() > FEW { " … (`--json` names them all)" } else { "" };
    let reason = args.reason.as_deref().map_or_else(
        || " --plan".to_owned(),
        |reason| {
            let plan = if with { " --plan" } else { "" };
            format!(" --reason {}{plan}", quoted(reason.trim()))
        },
    );
    ui.hint(&format!(
        "the same rows of the other batches too: `volledger erase {few}{reason}`{more}"
    ));
}

pub(in crate::cli) fn retention(ui: &mut Ui, ctx: &Context, args: &RetentionArgs) -> Outcome<Exit> {
    let What::Apply { dry_run, yes } = args.what;
    let mut ledger = ctx.open(ui)?;
    let (rules, run) = (&ctx.settings.retention, ctx.run());
    if rules.is_empty() {
        ui.note("there are no rules of retention: nothing is ever due");
        ui.hint("write them under [retention] in config.toml; see `volledger retention --help`");
    }
    // In New York's evening a row is not yet a day older, and what is erased is gone for good.
    let (today, reason) = (run.clock.market_day(), retention::rules_said(rules));
    let planned = |ledger: &Ledger| -> Outcome<_> {
        let due = retention::due(ledger, rules, today)?;
        let plan = retention::plan(ledger, &due, &reason)?;
        Ok((due, plan))
    };
    let (mut due, plan) = planned(&ledger)?;
    match settled(ui, &plan, dry_run, yes)? {
        Next::Ends(exit) => {
            ruleless(ui, &plan);
            return Ok(exit);
        }
        Next::Asks => {
            drop(ledger); // as above
            if let Some(exit) = asked(ui, &plan)? {
                ruleless(ui, &plan);
                return Ok(exit);
            }
            ledger = ctx.open(ui)?;
            due = still(&plan, planned(&ledger)?)?;
        }
        Next::Erases => {}
    }
    let done = erase::erase(&mut ledger, &due.selection, &reason, &run)?;
    let done = ErasedReport { held: due.held, rejected: due.rejected, ..done };
    let exit = conclude(ui, &done)?;
    ruleless(ui, &done);
    Ok(exit)
}

/// Says which rules are missing for others to be met, and how to erase what no rule takes.
fn ruleless(ui: &mut Ui, report: &ErasedReport) {
    const FEW: usize = 8;
    if !report.rejected.is_empty() {
        let batches: Vec<&str> = report.rejected.iter().map(|line| line.batch.as_str()).collect();
        let few = batches.iter().take(FEW).copied().collect::<Vec<_>>().join(" ");
        let more = if batches.len() > FEW { " … (`--json` names them all)" } else { "" };
        ui.hint(&format!("the rejected rows too: `volledger erase {few} --reason TEXT`{more}"));
    }
    let mut views: Vec<&str> = Vec::new();
    for line in report.held.iter().filter(|line| line.kept_days.is_none()) {
        if !views.contains(&line.kept_by) {
            views.push(line.kept_by);
        }
    }
    if !views.is_empty() {
        let rules: Vec<_> = views.iter().map(|view| format!("{view} = \"…d\"")).collect();
        ui.hint(&format!(
            "what is kept without a rule goes with `{}` under [retention] in config.toml",
            rules.join("`, `")
        ));
    }
}

/// What follows on a plan.
enum Next {
    /// Nothing is erased.
    Ends(Exit),
    /// A person is asked.
    Asks,
    /// It is done without asking.
    Erases,
}

/// Shows a plan, unless it is carried out at once.
fn settled(ui: &mut Ui, plan: &ErasedReport, only: bool, yes: bool) -> Outcome<Next> {
    if plan.batches.is_empty() || only {
        ui.page(plan)?;
        if !plan.batches.is_empty() {
            ui.hint("nothing was erased; `--yes` does it, and it cannot be taken back");
        }
        return Ok(Next::Ends(Exit::Done));
    }
    if yes {
        return Ok(Next::Erases);
    }
    ui.show(plan)?;
    if !ui.may_ask() {
        ui.hint("nothing was erased (nobody could be asked); `--yes` does it");
        return Ok(Next::Ends(Exit::NotAsked));
    }
    Ok(Next::Asks)
}

/// How it ends after a person was asked, unless it is to be done.
fn asked(ui: &mut Ui, plan: &ErasedReport) -> Outcome<Option<Exit>> {
    let events = counted(plan.events, "event");
    match ui.ask(&format!("Erase {events} for good? Type `erase` to do it ›")) {
        Some(line) if line.trim() == "erase" => Ok(None),
        Some(_) => {
            ui.hint("nothing was erased");
            Ok(Some(Exit::Done))
        }
        None => Ok(Some(Exit::NotAsked)),
    }
}

/// What is to be erased, if the plan made now is still the one that was agreed to.
fn still<T>(agreed: &ErasedReport, (what, now): (T, ErasedReport)) -> Outcome<T> {
    // Which answers of a fetch wait beside the ledger was not asked about.
    let meant = |plan: &ErasedReport| {
        json::line(&ErasedReport { position: 0, waiting: 0, inbox_held: false, ..plan.clone() })
    };
    if meant(agreed) == meant(&now) {
        return Ok(what);
    }
    let error =
        "nothing was erased: what would go is not what was shown any more, others decided since";
    Err(Failure::of(Exit::Stale, error, "run it again, and look at what would go now"))
}

fn conclude(ui: &mut Ui, done: &ErasedReport) -> Outcome<Exit> {
    ui.show(done)?;
    ui.hint(
        "check it with `volledger verify --deep`; older backups and exports still hold what was \
         erased, and `volledger backup FILE` makes one that does not",
    );
    Ok(Exit::Done)
}
