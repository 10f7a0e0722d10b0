//! Settling: from the answers in the inbox to one sealed batch.

use super::announced::Announced;
use super::bodies::{self, Bodies};
use super::coverage::{CoverageMap, is_adjusted};
use super::each::{self, Part, Passed};
use super::endpoint::Provider;
use super::facts::{self, facts};
use super::known::is_known;
use super::meaning::meaning;
use super::note::{Answered, Note, waiting};
use super::past;
use super::reading::{Read, Whole, finding, read};
use super::remarks::{as_traded, clocks};
use super::rounds::rounds;
use super::withheld;
use super::{OutcomeLine, Question};
use crate::app::Run;
use crate::app::clock::rfc3339;
use crate::app::draft::Draft;
use crate::app::error::{AppError, Result};
use crate::app::moved_announcements;
use crate::app::prepared::{Staged, with_events};
use crate::app::views::{Roots, ViewReader};
use crate::domain::{
    BatchId, Calendar, Class, Collector, Coverage, Day, Fact, Finding, Key, Op, Origin, Series,
    Severity, Symbol, Window,
};
use crate::ledger::codec::{Http, ManifestSource, SourceKind};
use crate::ledger::{Inbox, Ledger};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What became of the inbox.
#[derive(Debug, Default)]
pub struct Settled {
    /// The batches, one per view; none when every answer said what was known.
    pub staged: Vec<Staged>,
    /// How each question was answered.
    pub outcomes: Vec<OutcomeLine>,
    /// Pages of answers that had not arrived whole; they are asked again.
    pub dropped: usize,
    /// What was left out because it was taken back after it had been asked for, with the batch that had
    /// it.
    pub withheld: Vec<(Question, Option<BatchId>)>,
    /// Views whose answers have the content of a batch that was rolled back; nothing of them is kept.
    pub refused: Vec<((Series, Provider), AppError)>,
}

/// How to settle.
#[derive(Clone, Debug, Default)]
pub struct SettleOptions {
    /// Whether values only fill holes.
    pub keep: bool,
    /// Why content that was rolled back may come again.
    pub again: Option<String>,
    /// Whether the review holds every change.
    pub full: bool,
}

/// Stages what waits in the inbox, one batch per view, and empties it.
///
/// # Errors
/// A ledger or inbox that cannot be written; then the inbox keeps everything.
pub fn settle(
    ledger: &mut Ledger,
    inbox: &mut Inbox,
    options: &SettleOptions,
    run: &Run<'_>,
) -> Result<Settled> {
    let (answers, dropped) = waiting(inbox);
    let (answers, mut gone) = past::parted(answers);
    let mut settled = Settled { dropped, ..Settled::default() };
    let rounds = rounds(&answers);
    let subject = |answer: &Answered| {
        let question = &answer.question;
        (question.series, question.endpoint.provider())
    };
    let mut series: Vec<((Series, Provider), usize)> =
        answers.iter().map(subject).zip(rounds.iter().copied()).collect();
    series.sort();
    series.dedup();
    for ((view, provider), round) in series {
        let asked = answers.iter().filter(|answer| subject(answer) == (view, provider));
        let days = asked.map(|answer| (answer.question.from, answer.question.to));
        let days = days.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
        let (from, to) = days.unwrap_or_default();
        // A snapshot asked for yesterday's session may be of today.
        let to = to.max(run.clock.market_day());
        let mut coverage = CoverageMap::of(ledger, (view, from, to))?;
        if provider == Provider::Polygon && is_adjusted(view) {
            let asked = answers.iter().filter(|answer| subject(answer) == (view, provider));
            let symbols = asked.flat_map(|answer| answer.question.symbols()).flatten();
            let symbols: BTreeSet<Symbol> = symbols.cloned().collect();
            let today = run.clock.market_day();
            coverage.compare_with_views(ledger, view, symbols.iter(), today)?;
        }
        let of_view = |answer: &Answered| {
            // Staged before the process died, and not yet taken out of the inbox.
            let known = |(note, arrival): &(Note, crate::ledger::Arrival)| {
                let since = crate::domain::Position(note.position);
                coverage.has_seen(&arrival.digest.0, note.observed_ms, since)
            };
            subject(answer) == (view, provider) && !answer.pages.iter().any(known)
        };
        let of_round = answers.iter().zip(&rounds).filter(|(_, of)| **of == round);
        let of_round = of_round.map(|(answer, _)| answer);
        let answers: Vec<&Answered> = of_round.filter(|answer| of_view(answer)).collect();
        if answers.is_empty() {
            continue;
        }
        // Requests whose answers are no news are still counted, once.
        let requests: Vec<Answered> = gone.extract_if(.., |answer| of_view(answer)).collect();
        let roots = ViewReader::new(ledger)?.roots();
        let mut work = Work::new(inbox, (&coverage, roots), (view, provider), options, run);
        run.progress.begin("reading answers", Some(answers.len() as u64), "answers");
        let prepared = with_events(ledger, false, |target, writer| {
            for (number, answer) in answers.into_iter().enumerate() {
                work.answer(target, answer)?;
                work.write(target, writer)?;
                run.progress.at(number as u64 + 1);
            }
            if provider.counts_days() {
                for answer in &requests {
                    work.heard(target, answer, true)?;
                }
                work.list_requests(target)?;
            }
            Ok(())
        })?;
        run.progress.end();
        settled.outcomes.append(&mut work.outcomes);
        settled.withheld.append(&mut work.withheld);
        let mut draft = work.draft;
        draft.findings.extend(work.passed.finding());
        if draft.manifest.coverage.is_empty() {
            prepared.abandon(ledger)?;
            continue;
        }
        match moved_announcements::seal(prepared, ledger, draft, options.full, run) {
            Ok(staged) => settled.staged.push(staged),
            // A refused batch must not stop the others; every later fetch would refuse it as well.
            Err(refusal @ AppError::RolledBackBefore { .. }) => {
                settled.refused.push(((view, provider), refusal));
            }
            Err(error) => return Err(error),
        }
    }
    inbox.clear()?;
    Ok(settled)
}

/// The name of the list of a fetch's requests.
const REQUESTS: &str = "requests";

/// A request as it is listed (`iv_crush.md` A0, `api.fetch`).
#[derive(Serialize)]
struct Request {
    target: String,
    status: u16,
    attempts: u32,
    ended: String,
    body: String,
    observed_at: String,
    run: String,
}

struct Work<'a> {
    inbox: &'a Inbox,
    coverage: &'a CoverageMap,
    roots: Arc<Roots>,
    draft: Draft,
    /// Events that are read and not written yet.
    windows: Vec<Window>,
    events: u32,
    outcomes: Vec<OutcomeLine>,
    withheld: Vec<(Question, Option<BatchId>)>,
    /// Answers that were read.
    questions: u32,
    requests: Vec<Request>,
    announced: Announced,
    passed: Passed,
    run: &'a Run<'a>,
}

impl<'a> Work<'a> {
    fn new(
        inbox: &'a Inbox,
        (coverage, roots): (&'a CoverageMap, Arc<Roots>),
        (view, provider): (Series, Provider),
        options: &SettleOptions,
        run: &'a Run<'a>,
    ) -> Self {
        let class = if options.keep { Class::Fill } else { Class::Vendor };
        let draft = Draft {
            again: options.again.clone(),
            ..Draft::new(provider.mapping(), view, |_| class, run)
        };
        let (windows, outcomes, requests) = (Vec::new(), Vec::new(), Vec::new());
        let announced = Announced::default();
        Self {
            inbox,
            coverage,
            roots,
            draft,
            windows,
            events: 0,
            outcomes,
            withheld: Vec::new(),
            questions: 0,
            requests,
            announced,
            passed: Passed::default(),
            run,
        }
    }

    /// Reads one answer; if it says only what is known, nothing of it is kept. An answer that cannot be
    /// read is left out with a finding and asked again; it does not stop the others.
    fn answer(&mut self, ledger: &mut Ledger, answer: &Answered) -> Result<()> {
        if answer.is_erased() {
            let taken = self.taken_back(answer);
            return self.withhold(ledger, answer, taken);
        }
        let bodies = Bodies::new(self.inbox, &answer.pages);
        let lost = match bodies::too_large(&answer.pages) {
            Some(why) => why,
            None => match read(&answer.question, &bodies, self.draft.manifest.sources.len()) {
                Ok(Read::Of(all)) => return self.take(ledger, answer, &bodies, *all),
                Ok(Read::Not(why)) => why,
                Err(error) => bodies::damage(&error).ok_or(error)?,
            },
        };
        let question = answer.question.clone();
        if question.endpoint.provider().counts_days() {
            self.heard(ledger, answer, true)?;
            self.draft.manifest.coverage.push(past::lost(answer, &lost));
        }
        self.outcomes.push(OutcomeLine {
            facts: vec![(question.from, question.to, Fact::Failed)],
            rows: 0,
            unchanged: true,
            ended: "unreadable".to_owned(),
            text: format!("{lost}; it is left out, and asked again"),
            question,
            earlier: false,
            lapsed: false,
        });
        Ok(())
    }

    /// Records that requests were made, without any event. The answers' bodies are kept with it where
    /// that is wanted and they can be read.
    fn heard(&mut self, ledger: &mut Ledger, answer: &Answered, kept: bool) -> Result<()> {
        let number = self.questions;
        self.questions += 1;
        let kept = kept && self.taken_back(answer).is_none();
        let bodies = Bodies::new(self.inbox, &answer.pages);
        for (page, note) in bodies.notes().enumerate() {
            let body = bodies.get(page).ok().filter(|_| kept).unwrap_or_default();
            self.keep(ledger, &answer.question, note, &body, number)?;
        }
        Ok(())
    }

    /// The batch of which an answer would bring something back.
    fn taken_back(&self, answer: &Answered) -> Option<BatchId> {
        let question = &answer.question;
        let about = question.symbols().into_iter().map(|of| withheld::about(question, of));
        self.coverage.taken_back_since(&about.collect::<Vec<_>>(), answer.position())
    }

    /// Leaves out an answer of which something was taken back after it had been asked for.
    fn withhold(
        &mut self,
        ledger: &mut Ledger,
        answer: &Answered,
        taken: Option<BatchId>,
    ) -> Result<()> {
        if answer.question.endpoint.provider().counts_days() {
            self.heard(ledger, answer, false)?;
            let why = "what it says was taken back after it had been asked for";
            self.draft.manifest.coverage.push(past::lost(answer, why));
        }
        self.withheld.push((answer.question.clone(), taken));
        Ok(())
    }

    /// Takes what was read of an answer into the batch.
    fn take(
        &mut self,
        ledger: &mut Ledger,
        answer: &Answered,
        bodies: &Bodies<'_>,
        mut all: Whole,
    ) -> Result<()> {
        let question = &answer.question;
        let Some((end, _)) = answer.pages.last() else { return Ok(()) };
        let as_of = all.as_of;
        // Quotes of a later session say nothing about the session that was asked about.
        let later = question.endpoint.is_chain() && as_of > question.to;
        let (from, to) = if later { (as_of, as_of) } else { (question.from, question.to) };
        let about = Question { from, to, ..question.clone() };
        let (mut told, mut left_out) = (Vec::new(), BTreeSet::new());
        let number = self.questions;
        self.questions += 1;
        for part in each::parts(&about, &all) {
            let mut of_part = self.facts(&part, end, as_of);
            each::explain(&mut of_part, &all, &part);
            if let Some(taken) = self.coverage.taken_back_since(&of_part, answer.position()) {
                if question.only.is_empty() {
                    return self.withhold(ledger, answer, Some(taken));
                }
                left_out.extend(part.question.symbol.clone());
                self.withheld.push((part.question, Some(taken)));
                continue;
            }
            // No view changes while a batch is written, so the roots are read once for all answers.
            let reader = ViewReader::with(ledger, Arc::clone(&self.roots));
            // A service that counts requests of a day has each of them recorded.
            let unchanged = !question.endpoint.provider().counts_days()
                && is_known(&reader, self.coverage, &part.question, &of_part, &part.windows)?;
            let texts = of_part.iter().map(|fact| &fact.text);
            self.outcomes.push(OutcomeLine {
                facts: facts::told(&of_part),
                rows: part.rows,
                unchanged,
                ended: end.ended.clone(),
                text: texts.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default(),
                earlier: bodies.notes().all(|note| note.run_id() != self.run.correlation),
                lapsed: self.coverage.is_lapse(&of_part),
                question: Question {
                    from: question.from,
                    to: question.to,
                    ..part.question.clone()
                },
            });
            match unchanged {
                true => left_out.extend(part.question.symbol),
                false => told.append(&mut of_part),
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        self.passed.add(question, &all);
        if !question.only.is_empty() {
            each::leave_out(&mut all, &left_out);
        }
        let Whole { mut windows, mut rows, days, mut findings, .. } = all;
        findings.extend(clocks(end));
        if question.series == Series::Earnings {
            let (kept, repeated) = self.announced.sift(&windows);
            windows = kept;
            rows.accepted -= repeated;
            rows.blank += repeated;
            if repeated > 0 {
                let text = "an announcement that another answer of this fetch has already; that \
                            one counts";
                let told =
                    finding("announced_twice", Severity::Info, days.map(|d| d.1), text.into());
                findings.push(Finding { count: repeated, ..told });
            }
        }
        let reader = ViewReader::with(ledger, Arc::clone(&self.roots));
        findings.extend(as_traded(&reader, self.coverage, question, days)?);
        let mut taken = question.clone();
        taken.only.retain(|symbol| !left_out.contains(symbol));
        for (page, note) in bodies.notes().enumerate() {
            self.keep(ledger, &taken, note, &bodies.get(page)?, number)?;
        }
        self.draft.manifest.coverage.extend(told);
        self.draft.add(rows, Vec::new());
        findings.into_iter().for_each(|finding| self.note(finding));
        self.windows = windows;
        Ok(())
    }

    /// The facts about the days of a part of an answer, whose last page is `end`.
    fn facts(&self, part: &Part<'_>, end: &Note, as_of: Day) -> Vec<Coverage> {
        let answered = facts::Answered {
            question: &part.question,
            // A refusal of a later page says nothing about the days of the pages before it.
            ended: match end.ended.as_str() {
                "not-entitled" | "not-found" if end.page > 0 => "incomplete",
                ended => ended,
            },
            text: &end.text,
            days: part.days,
            observed_ms: end.certain_ms(),
            server_ms: end.server_ms,
            meaning: meaning(&part.windows),
            rejected: part.rejected.clone(),
        };
        let mut told = facts(&answered, Calendar::nyse());
        if part.question.endpoint.is_chain() {
            told.iter_mut().for_each(|fact| (fact.from, fact.to) = (as_of.min(fact.from), fact.to));
        }
        told
    }

    /// Keeps an answer's body as a source.
    fn keep(
        &mut self,
        ledger: &mut Ledger,
        question: &Question,
        note: &Note,
        body: &[u8],
        number: u32,
    ) -> Result<()> {
        let now = self.run.clock.now_ms();
        let (digest, size) = ledger.keep(&mut &*body, &note.target, now)?;
        self.requests.push(Request {
            target: note.target.clone(),
            status: note.status,
            attempts: note.attempts,
            ended: note.ended.clone(),
            body: digest.to_string(),
            observed_at: rfc3339(note.observed_ms),
            run: note.run_id().to_owned(),
        });
        let media = note.headers.iter().find(|(name, _)| name == "content-type");
        self.draft.manifest.sources.push(ManifestSource {
            digest,
            kind: SourceKind::Http,
            name: note.target.clone(),
            media_type: media.map(|(_, value)| value.clone()).unwrap_or_default(),
            size,
            observed_ms: note.observed_ms,
            series: question.series,
            symbol: question.symbol.clone(),
            http: Some(Http {
                status: note.status,
                attempts: note.attempts,
                question: number,
                page: note.page,
                headers: note.headers.clone(),
                reader: question.reader(),
            }),
        });
        Ok(())
    }

    /// Keeps the list of the requests beside their answers. So two fetches that brought the same bytes
    /// count as two for the requests of a day, though their contents are equal.
    fn list_requests(&mut self, ledger: &mut Ledger) -> Result<()> {
        let Some(first) = self.draft.manifest.sources.first() else { return Ok(()) };
        let (series, now) = (first.series, self.run.clock.now_ms());
        let list = serde_json::to_vec(&self.requests).unwrap_or_default();
        let (digest, size) = ledger.keep(&mut list.as_slice(), REQUESTS, now)?;
        self.draft.manifest.sources.push(ManifestSource {
            digest,
            kind: SourceKind::Listing,
            name: REQUESTS.to_owned(),
            media_type: "application/json".to_owned(),
            size,
            observed_ms: now,
            series,
            symbol: None,
            http: None,
        });
        Ok(())
    }

    /// One finding per code and text, however many answers it was met in.
    fn note(&mut self, finding: Finding) {
        let same = |known: &&mut Finding| known.code == finding.code && known.text == finding.text;
        match self.draft.findings.iter_mut().find(same) {
            Some(known) => known.count += finding.count,
            None => self.draft.findings.push(finding),
        }
    }

    /// Writes the events that were read.
    fn write(
        &mut self,
        ledger: &mut Ledger,
        writer: &mut crate::ledger::BatchWriter,
    ) -> Result<()> {
        let mut flush = |window: &mut Window| ledger.write(writer, window);
        let mut out = Collector::resume(self.events, &mut flush);
        for window in self.windows.drain(..) {
            for row in window.rows.iter() {
                let head = row.head;
                let origin = Origin::from(head);
                let key = Key { symbol: row.symbol, day: head.day, item: row.item };
                out.event(origin, head.series, Op::Put, key, row.shape, row.values.iter())?;
            }
            for r in &window.rejects {
                let origin = Origin::from(r);
                out.reject(origin, r.series, &r.code, &r.raw)?;
            }
        }
        self.events = out.finish()?;
        Ok(())
    }
}
