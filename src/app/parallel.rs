//! Work that is shared between threads, with results in order.

use super::error::Result;
pub use crate::ledger::threads;
use std::panic::resume_unwind;

/// Splits items into as many neighbouring shares as there are threads, and puts what `work` makes
/// of them together in the order of the items.
///
/// # Errors
/// The first error in that order.
pub fn shares<I: Sync, T: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&[I]) -> Result<Vec<T>> + Sync,
) -> Result<Vec<T>> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if items.len() <= share {
        return work(items);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let mut chunks = items.chunks(share);
        // This thread takes the first share itself: what it gives back of memory is used again.
        let own = chunks.next().unwrap_or_default();
        let workers: Vec<_> = chunks.map(|share| scope.spawn(move || work(share))).collect();
        let mut all = Vec::with_capacity(items.len());
        all.extend(work(own)?);
        for worker in workers {
            // A panic goes on as one: it is a bug wherever it happens.
            all.extend(worker.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(all)
    })
}

/// [`shares`] for work on one item at a time.
///
/// # Errors
/// The first error in the order of the items.
pub fn map<I: Sync, T: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    shares(items, threads, |share| share.iter().map(&work).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AppError;

    #[test]
    fn results_are_in_order_and_the_first_error_counts() {
        let items: Vec<u32> = (0..10).collect();
        for threads in 1..12 {
            assert_eq!(map(&items, threads, |item| Ok(item * 2)).unwrap()[7], 14);
            let failed = map(&items, threads, |item| match item {
                0..5 => Ok(()),
                _ => Err(AppError::Usage(item.to_string())),
            });
            assert_eq!(failed.unwrap_err().to_string(), "5", "{threads} threads");
        }
        assert!(map(&[0; 0], 2, |item| Ok(*item)).unwrap().is_empty());
    }
}
