//! Where the events of a symbol stand in the log, so that a view can point there instead of keeping
//! them a second time.

use crate::domain::rows::Head;
use crate::domain::{BatchId, Day, Op};
use crate::ledger::codec::Blocks;

/// Rows of a source between two of a symbol that still follow each other: rejected ones may stand there.
const NEAR: u32 = 8;

/// A symbol's events in one block.
#[derive(Clone, Copy, Debug)]
struct BlockRun {
    batch: BatchId,
    block: u32,
    first: Day,
    last: Day,
    /// The number of the last event.
    seq: u32,
}

/// Where the events of one symbol stand that speak of one view.
#[derive(Debug, Default)]
pub struct BlockRuns {
    runs: Vec<BlockRun>,
    /// Batches whose events do not each put a value on a day of its own, in the order of days and next
    /// to each other in their source. Of a file in the order of days a block has a few rows of each of
    /// very many symbols; whoever asks for one symbol after the other would unpack every block for each.
    odd: Vec<BatchId>,
}

impl BlockRuns {
    /// Takes in neighbouring events of a block that are alike but for day and values. They come batch by
    /// batch, in the order of its blocks; `says` tells whether one that puts something puts any field.
    pub fn add(&mut self, batch: BatchId, block: u32, events: &[Head], says: bool) {
        let (Some(head), Some(last)) = (events.first(), events.last()) else { return };
        if self.odd.last() == Some(&batch) {
            return;
        }
        let near = |a: u32, b: u32| a.abs_diff(b) <= NEAR;
        let before = self.runs.last_mut().filter(|run| run.batch == batch);
        let follows =
            |run: &BlockRun| run.last < head.day && (run.block != block || near(run.seq, head.seq));
        let plain = says
            && events.iter().all(|head| head.op == Op::Put && head.item == 0)
            && events.is_sorted_by(|a, b| a.day < b.day && near(a.seq, b.seq))
            && before.as_ref().is_none_or(|run| follows(run));
        match before {
            _ if !plain => {
                self.odd.push(batch);
                self.runs.retain(|run| run.batch != batch);
            }
            Some(run) if run.block == block => (run.last, run.seq) = (last.day, last.seq),
            _ => {
                let (first, last, seq) = (head.day, last.day, last.seq);
                self.runs.push(BlockRun { batch, block, first, last, seq });
            }
        }
    }

    /// The blocks of a batch in which its events from `first` to `last` stand, days on which it has
    /// some; `None` where there are more than two, or where the batch is odd.
    pub fn blocks(&self, batch: BatchId, first: Day, last: Day) -> Option<Blocks> {
        let of = |run: &&BlockRun| run.batch == batch && run.first <= last && run.last >= first;
        let mut runs = self.runs.iter().filter(of).map(|run| run.block);
        let blocks = Blocks { batch, first: runs.next()?, second: runs.next() };
        runs.next().is_none().then_some(blocks)
    }

    /// The only batch that can have events from `first` to `last`.
    pub fn only(&self, first: Day, last: Day) -> Option<BatchId> {
        let mut runs = self.runs.iter().filter(|run| run.first <= last && run.last >= first);
        let batch = runs.next()?.batch;
        (self.odd.is_empty() && runs.all(|run| run.batch == batch)).then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Series;

    /// Events on some days, each the next of its source.
    fn heads(days: &[i32]) -> Vec<Head> {
        let head = |day: &i32| Head {
            seq: *day as u32,
            source: 0,
            line: 0,
            offset: 0,
            len: 0,
            series: Series::Iv,
            op: Op::Put,
            day: Day(*day),
            item: 0,
            symbol: 0,
            shape: 0,
            first: 0,
        };
        days.iter().map(head).collect()
    }

    fn blocks(batch: u32, first: u32, second: Option<u32>) -> Option<Blocks> {
        Some(Blocks { batch: BatchId(batch), first, second })
    }

    #[test]
    fn days_are_found_in_the_blocks_that_have_them() {
        let mut standing = BlockRuns::default();
        for (block, days) in [(0, [1, 5]), (0, [7, 9]), (1, [12, 19]), (4, [23, 30]), (5, [33, 40])]
        {
            standing.add(BatchId(1), block, &heads(&days), true);
        }
        standing.add(BatchId(2), 0, &heads(&[50]), true);
        let of = |first, last| standing.blocks(BatchId(1), Day(first), Day(last));
        assert_eq!(of(1, 9), blocks(1, 0, None));
        assert_eq!(of(7, 12), blocks(1, 0, Some(1)));
        assert_eq!(of(19, 23), blocks(1, 1, Some(4)));
        assert_eq!(of(9, 23), None, "three blocks");
        assert_eq!(of(50, 50), None, "another batch");
        assert_eq!(standing.blocks(BatchId(2), Day(50), Day(50)), blocks(2, 0, None));
        assert_eq!(standing.only(Day(1), Day(40)), Some(BatchId(1)));
        assert_eq!(standing.only(Day(40), Day(50)), None);
        assert_eq!(standing.only(Day(41), Day(49)), None, "nobody");
    }

    #[test]
    fn a_batch_that_says_more_than_values_of_days_is_not_pointed_at() {
        let odd = |change: fn(&mut Head), says, days: &[i32]| {
            let mut standing = BlockRuns::default();
            standing.add(BatchId(1), 0, &heads(&[1]), true);
            standing.add(BatchId(2), 0, &heads(&[2]), true);
            let mut events = heads(days);
            events.iter_mut().last().into_iter().for_each(change);
            standing.add(BatchId(2), 1, &events, says);
            standing.add(BatchId(2), 2, &heads(&[90]), true); // the next block may begin anywhere
            assert_eq!(standing.blocks(BatchId(1), Day(1), Day(1)), blocks(1, 0, None));
            assert_eq!(standing.only(Day(1), Day(1)).is_none(), !standing.odd.is_empty());
            standing.blocks(BatchId(2), Day(2), Day(2)).is_none()
                && standing.blocks(BatchId(2), Day(90), Day(90)).is_none()
        };
        assert!(!odd(|_| {}, true, &[3, 4]));
        assert!(odd(|_| {}, false, &[3, 4]), "nothing is said");
        assert!(odd(|_| {}, true, &[2, 3]), "a day twice");
        assert!(odd(|_| {}, true, &[1]), "an earlier day");
        assert!(odd(|_| {}, true, &[4, 4]), "a day twice in a block");
        assert!(!odd(|head| head.seq = 11, true, &[3, 4]));
        assert!(odd(|head| head.seq = 12, true, &[3, 4]), "far off in its source");
        assert!(odd(|head| head.op = Op::Retract, true, &[3, 4]));
        assert!(odd(|head| head.item = 1, true, &[3, 4]));
    }
}
