use super::*;
use crate::domain::shared;

fn trace_limits() -> CacheLimits {
    CacheLimits { most: 3, ..CacheLimits::default() }
}

fn keys(cache: &Cache<String>) -> String {
    let keys: Vec<&str> = cache.first.iter().map(|entry| entry.key.as_str()).collect();
    keys.join(";")
}

/// `cache_trace.csv`, to the letter.
#[test]
fn the_recorded_trace_is_followed() {
    let Some(text) = shared::text("vectors_ivcrush/cache_trace.csv") else { return };
    let mut cache = Cache::new(trace_limits(), Recorded::new());
    let mut steps = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [at, op, key, from, left] = cells[..] else { panic!("{line}") };
        let now = at.parse::<i64>().unwrap() * 1000;
        match op {
            "set" => cache.set(key, format!("value of {key}"), now),
            "get" => {
                let found = cache.get(key, i64::MAX, now);
                let served = match &found {
                    Some((Tier::First, ..)) => "L1",
                    Some((Tier::Second, ..)) => "L2",
                    None => "MISS",
                };
                assert_eq!(served, from, "{line}");
                assert!(found.is_none_or(|(.., value)| value == format!("value of {key}")));
            }
            "restart" => {
                let second = std::mem::take(&mut cache.second);
                cache = Cache::new(trace_limits(), second);
            }
            other => panic!("{other}"),
        }
        assert_eq!(keys(&cache), left, "{line}");
        steps += 1;
    }
    assert_eq!(steps, text.lines().count() - 1);
    assert!(steps >= 18, "the trace is whole");
}

#[test]
fn look_ups_are_counted() {
    let limits = CacheLimits { most: 1, ..CacheLimits::default() };
    let mut cache = Cache::new(limits, Recorded::new());
    assert_eq!(cache.counters().hit_rate(), None);
    cache.set("a", 1, 0);
    assert_eq!(cache.get("a", i64::MAX, 10_000).map(|(tier, ..)| tier), Some(Tier::First));
    cache.set("b", 2, 10_000);
    assert_eq!(cache.get("a", i64::MAX, 20_000).map(|(tier, ..)| tier), Some(Tier::Second));
    assert!(cache.get("none", i64::MAX, 20_000).is_none());
    let found = cache.counters();
    let told = (found.hits_l1, found.hits_l2, found.misses, found.evictions, found.expired);
    assert_eq!(told, (1, 1, 1, 2, 0));
    assert_eq!(found.hit_rate(), Some(2.0 / 3.0));
    // A value's own lifetime is the shorter one, in both tiers; then it is gone.
    assert!(cache.get("b", 5_000, 20_000).is_none());
    assert!(cache.get("b", i64::MAX, 20_000).is_none());
    // A clock that was set back finds nothing of the future.
    assert!(cache.get("a", i64::MAX, -1).is_none());
}

/// The measurement of `iv_crush.md` A18: 100 stocks, three passes within 30 s, the process started anew
/// before the last one. What was never asked must miss, so two of three look-ups can be hits.
#[test]
fn three_passes_over_a_hundred_stocks_ask_once() {
    let mut cache = Cache::new(CacheLimits::default(), Recorded::new());
    let (mut lookups, mut hits) = (0, [0, 0]);
    for pass in 0..3 {
        if pass == 2 {
            let second = std::mem::take(&mut cache.second);
            cache = Cache::new(CacheLimits::default(), second);
        }
        for stock in 0..100 {
            let (key, now) = (format!("v1:stock_price:S{stock}"), pass * 12_000 + stock * 100);
            if cache.get(&key, 30_000, now).is_none() {
                cache.set(&key, pass, now);
            }
        }
        let told = cache.counters();
        if pass > 0 {
            lookups += told.lookups();
            hits = [hits[0] + told.hits_l1, hits[1] + told.hits_l2];
        }
    }
    assert_eq!((lookups, hits), (300, [100, 100]));
}
