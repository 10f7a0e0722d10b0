//! Which days need not be asked about again.

use super::{AS_TRADED, CoverageMap};
use crate::app::fetch::facts::{LEAST_YEARS, PLAN_SLACK};
use crate::domain::{Coverage, Day, Fact, Series, Symbol, eastern};

/// What a service gave of a subject, by which what it refuses is judged.
struct Given {
    /// The first day about which there is an answer.
    from: Day,
    /// How many days back its answers reached, as far as every plan reaches at least.
    reach: i32,
}

impl Given {
    /// From which day on a refusal is no word about the years that the plan has: later than days that
    /// came, and not further back than the plan reached. It came of something that passes, such as a
    /// plan that had lapsed.
    fn lapse(&self, refusal: &Coverage) -> Day {
        let oldest = asked_on(refusal).0 - self.reach + PLAN_SLACK;
        self.from.next().max(Day(oldest))
    }
}

/// The day on which an answer came.
fn asked_on(fact: &Coverage) -> Day {
    eastern::day_of(fact.observed_ms).unwrap_or(fact.to)
}

impl CoverageMap {
    /// The days given (ascending), each with a fact that makes it needless to ask, which is one that is
    /// final: that there is data before that there is none, and that before not being in the plan. Days
    /// without one have to be asked: never asked, failed, provisional, or refused though the service has
    /// given others like them.
    pub fn answers(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
        days: impl Iterator<Item = Day>,
    ) -> Vec<(Day, Option<&Coverage>)> {
        let mut days: Vec<(Day, Option<&Coverage>)> = days.map(|day| (day, None)).collect();
        // What the plan does not include stays so until it is another one; `--refresh` asks again.
        let given = self.given(series, symbol, scope);
        let facts = self.about(series, symbol, scope).filter(|fact| fact.fact != Fact::Failed);
        for fact in facts {
            let mut last = fact.to.min(fact.settled);
            if let (Fact::NotEntitled, Some(given)) = (fact.fact, &given) {
                last = last.min(Day(given.lapse(fact).0 - 1));
            }
            let first = days.partition_point(|(day, _)| *day < fact.from);
            for (day, known) in days.iter_mut().skip(first).take_while(|(day, _)| *day <= last) {
                let enough = |known: &Coverage| known.fact == Fact::Data || known.fact < fact.fact;
                if !known.is_some_and(enough) && self.counts(fact, symbol, *day) {
                    *known = Some(fact);
                }
            }
        }
        days
    }

    /// What a service gave of a subject; `None` where that says nothing of what it refuses.
    fn given(&self, series: Series, symbol: Option<&Symbol>, scope: &str) -> Option<Given> {
        // Refused is the long form there: the newest days came in the short one, whatever the plan.
        if scope == AS_TRADED {
            return None;
        }
        let absent = symbol.and_then(|symbol| self.absent.get(symbol));
        let lacks = |fact: &Coverage| {
            fact.symbol.is_none() && absent.is_some_and(|days| days.contains(&fact.from))
        };
        let mut given: Option<Given> = None;
        for fact in self.about(series, symbol, scope) {
            let reach = match fact.fact {
                Fact::Data if !lacks(fact) => asked_on(fact).0 - fact.from.0,
                // Articles and splits are not of every day.
                Fact::Empty if fact.settled >= fact.from => 0,
                _ => continue,
            };
            let known = given.get_or_insert(Given { from: fact.from, reach: LEAST_YEARS * 365 });
            *known = Given { from: known.from.min(fact.from), reach: known.reach.max(reach) };
        }
        given
    }

    /// Whether an answer refuses days that are no older than what came before.
    pub(in crate::app::fetch) fn is_lapse(&self, told: &[Coverage]) -> bool {
        told.iter().filter(|fact| fact.fact == Fact::NotEntitled).any(|fact| {
            let given = self.given(fact.series, fact.symbol.as_ref(), &fact.scope);
            given.is_some_and(|given| given.lapse(fact) <= fact.to)
        })
    }

    /// What was refused, as the facts stand, whatever was answered since.
    pub(in crate::app::fetch) fn refusals(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
    ) -> Vec<&Coverage> {
        let all = self.about(series, symbol, scope);
        all.filter(|fact| fact.fact == Fact::NotEntitled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;

    /// Symbol, scope, days, what was said of them, and on which day.
    type Said<'a> = (Option<&'a str>, &'a str, (i32, i32), Fact, i32);

    fn map(facts: &[Said<'_>]) -> CoverageMap {
        let mut map = CoverageMap::default();
        for (symbol, scope, (from, to), fact, asked) in facts {
            map.add(Coverage {
                series: Series::Spot,
                symbol: symbol.map(|name| name.parse().unwrap()),
                scope: (*scope).to_owned(),
                from: Day(*from),
                to: Day(*to),
                fact: *fact,
                settled: Day(*to),
                observed_ms: i64::from(*asked) * 86_400_000 + 17 * 3_600_000,
                meaning: Digest::default(),
                text: String::new(),
            });
        }
        map
    }

    fn missing(map: &CoverageMap, scope: &str) -> Vec<i32> {
        let a: Symbol = "A".parse().unwrap();
        let known = map.answers(Series::Spot, Some(&a), scope, (1..=9).map(Day));
        known.into_iter().filter(|(_, fact)| fact.is_none()).map(|(day, _)| day.0).collect()
    }

    #[test]
    fn what_was_refused_behind_days_that_came_is_missing_and_the_old_end_is_not() {
        use Fact::{Data, Empty, NotEntitled};
        let refused = |scope| {
            map(&[
                (Some("A"), scope, (1, 3), NotEntitled, 6),
                (Some("A"), scope, (4, 5), Data, 6),
                (Some("A"), scope, (6, 7), NotEntitled, 8),
                (Some("A"), scope, (8, 9), Data, 10),
            ])
        };
        assert_eq!(missing(&refused(""), ""), [6, 7]);
        // Alpha Vantage refuses the long form for good.
        assert!(missing(&refused(AS_TRADED), AS_TRADED).is_empty());
        // A day of all stocks that has it, and one that lacks it.
        let of_all = |lack: bool| {
            let mut map =
                map(&[(None, "", (2, 2), Data, 3), (Some("A"), "", (3, 9), NotEntitled, 10)]);
            map.absent.extend(lack.then(|| ("A".parse().unwrap(), [Day(2)].into())));
            missing(&map, "")
        };
        assert_eq!((of_all(false), of_all(true)), (vec![1, 3, 4, 5, 6, 7, 8, 9], vec![1, 2]));
        // Nothing at all came: the plan does not have it.
        assert!(missing(&map(&[(Some("A"), "", (1, 9), NotEntitled, 10)]), "").is_empty());
        // Days without an event were answered.
        let splits = [(Some("A"), "", (1, 4), Empty, 5), (Some("A"), "", (5, 9), NotEntitled, 10)];
        assert_eq!(missing(&map(&splits), ""), [5, 6, 7, 8, 9]);
    }

    #[test]
    fn days_that_grew_too_old_for_the_plan_are_not_asked_for_ever() {
        use Fact::{Data, NotEntitled};
        // A split has the service restate what came; two years later the plan has it no more.
        let refused = |asked: i32, before: Option<i32>| {
            let data = (Some("A"), "", (1, 9), Data, 731);
            let older = before.map(|day| (Some("A"), "", (day, day + 5), Data, 731));
            let said = (Some("A"), "", (1, 9), NotEntitled, asked);
            let mut map =
                map(&[Some(data), older, Some(said)].into_iter().flatten().collect::<Vec<_>>());
            map.splits.insert("A".parse().unwrap(), vec![Day(735)]);
            missing(&map, "")
        };
        assert!(refused(760, None).is_empty());
        // A plan that has more years, as is known of what came: it had lapsed.
        assert_eq!(refused(760, Some(-1_000)), (1..=9).collect::<Vec<_>>());
        assert!(refused(1_760, Some(-1_000)).is_empty());
    }
}
