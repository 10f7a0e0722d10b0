//! Whether an option can be traded at about its price (`iv_crush.md` A1, A9).

use rust_decimal::Decimal;

/// A quote below this is none: 0.01 dollars.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// The market of one option contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Market {
    /// Best bid in dollars; 0 where nobody bids.
    pub bid: Decimal,
    /// Best ask in dollars.
    pub ask: Decimal,
    /// Annualised implied volatility in percent (50.0 is 50 %), where known.
    pub iv: Option<f64>,
    /// Contracts that are open.
    pub open_interest: u64,
}

impl Market {
    /// Half way between bid and ask, in dollars.
    pub fn mid(&self) -> Decimal {
        self.bid.saturating_add(self.ask) / Decimal::TWO
    }

    /// Ask less bid in percent of the mid; 100 where either is below a cent or the mid is 0
    /// (`iv_crush.md` A1: a dead quote is no perfect one).
    pub fn spread_percent(&self) -> Decimal {
        let dead = self.bid < CENT || self.ask < CENT;
        let spread = self.ask.saturating_sub(self.bid).checked_mul(Decimal::ONE_HUNDRED);
        let percent = spread.and_then(|spread| spread.checked_div(self.mid()));
        percent.filter(|_| !dead).unwrap_or(Decimal::ONE_HUNDRED)
    }

    /// Whether the quote counts at all: open interest, a bid, a spread below 50 %. Volume is not
    /// asked for, since it is 0 before the first trade of a day.
    pub fn is_basic_liquid(&self) -> bool {
        let tight = self.spread_percent() < Decimal::from(50);
        self.open_interest > 0 && tight && self.bid > Decimal::ZERO
    }

    /// The seed's filter: open interest of at least 50, a spread of at most 20 %, a bid
    /// (`iv_crush.md` A9).
    pub fn passes_seed_filter(&self) -> bool {
        let tight = self.spread_percent() <= Decimal::from(20);
        self.open_interest >= 50 && tight && self.bid > Decimal::ZERO
    }

    /// The worse of the tiers by open interest and by spread (`iv_crush.md` A9, four tiers).
    pub fn tier(&self) -> Tier {
        let by_interest = match self.open_interest {
            0..50 => Tier::Reject,
            50..100 => Tier::Warning,
            100..200 => Tier::Good,
            _ => Tier::Excellent,
        };
        let spread = self.spread_percent();
        let by_spread = match spread {
            _ if spread > Decimal::from(25) => Tier::Reject,
            _ if spread >= Decimal::from(18) => Tier::Warning,
            _ if spread >= Decimal::from(12) => Tier::Good,
            _ => Tier::Excellent,
        };
        by_interest.min(by_spread)
    }
}

/// How well a position can be opened and closed, the worst first. It is shown and scored; it
/// never removes a stock from a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Open interest below 50, or a spread above 25 %.
    Reject,
    /// Open interest below 100, or a spread from 18 %.
    Warning,
    /// Open interest below 200, or a spread from 12 %.
    Good,
    /// Better than that.
    Excellent,
}

impl Tier {
    /// The word in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "REJECT",
            Self::Warning => "WARNING",
            Self::Good => "GOOD",
            Self::Excellent => "EXCELLENT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(bid: &str, ask: &str, open_interest: u64) -> Market {
        let price = |text: &str| text.parse().unwrap();
        Market { bid: price(bid), ask: price(ask), iv: None, open_interest }
    }

    #[test]
    fn dead_quotes_are_not_perfect_ones() {
        for (bid, ask) in [("0", "0"), ("0", "0.15"), ("0.009", "0.009"), ("-1", "1")] {
            let market = market(bid, ask, 900);
            assert_eq!(market.spread_percent(), Decimal::ONE_HUNDRED, "{bid} {ask}");
            assert!(!market.is_basic_liquid() && !market.passes_seed_filter(), "{bid} {ask}");
            assert_eq!(market.tier(), Tier::Reject);
        }
    }

    #[test]
    fn absurd_prices_overflow_nothing() {
        let absurd = market("1", "79228162514264337593543950335", 500);
        assert_eq!(absurd.spread_percent(), Decimal::ONE_HUNDRED);
        assert!(!absurd.is_basic_liquid());
    }

    #[test]
    fn a_crossed_market_has_a_negative_spread_and_a_mid() {
        let crossed = market("2.10", "2.00", 500);
        assert!(crossed.spread_percent() < Decimal::ZERO);
        assert_eq!(crossed.mid(), "2.05".parse().unwrap());
    }

    #[test]
    fn the_worse_tier_counts() {
        assert_eq!(market("1.00", "1.01", 49).tier(), Tier::Reject);
        assert_eq!(market("1.00", "1.50", 900).tier(), Tier::Reject);
        assert_eq!(market("1.00", "1.01", 900).tier(), Tier::Excellent);
        assert!(Tier::Reject < Tier::Warning && Tier::Good < Tier::Excellent);
    }
}
