//! The move that a straddle pays for (`iv_crush.md` A4).

use super::liquidity::{Market, Tier};
use crate::domain::float;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A strike closer to spot than this, in dollars, is at the money.
const AT_THE_MONEY: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// The options of one expiration.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Price of the underlying in dollars.
    pub spot: Decimal,
    /// Calls by strike in dollars.
    pub calls: BTreeMap<Decimal, Market>,
    /// Puts by strike.
    pub puts: BTreeMap<Decimal, Market>,
}

/// Why there is no implied move, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMove {
    /// No contracts.
    #[error("the chain has no strikes")]
    NoStrikes,
    /// A strike with a call only, or a put only.
    #[error("call or put of the strike is missing")]
    MissingLeg,
    /// A leg without open interest or bid, or with a spread of 50 % or more.
    #[error("call or put of the strike is not liquid")]
    Illiquid,
    /// No price of the underlying.
    #[error("the price of the stock is not positive")]
    Spot,
    /// A straddle for nothing.
    #[error("the straddle costs nothing")]
    Straddle,
}

impl NoMove {
    /// The code: data that is missing, or that cannot be right.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoStrikes | Self::MissingLeg => "NODATA",
            Self::Illiquid | Self::Spot | Self::Straddle => "INVALID",
        }
    }

    /// The word for it in JSON.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoStrikes => "no_strikes",
            Self::MissingLeg => "missing_leg",
            Self::Illiquid => "illiquid",
            Self::Spot => "stock_price_not_positive",
            Self::Straddle => "straddle_not_positive",
        }
    }
}

/// How a straddle at the money was priced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// At the strike nearest to spot, as asked for.
    Nearest,
    /// At the nearest strike, because it is spot or spot lies outside the strikes.
    NearestFallback,
    /// Between the two strikes around spot.
    Interpolated(Bracket),
    /// One of the two strikes around spot cannot be used.
    SingleBracket(Bracket),
}

/// The strikes around spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// The greatest strike below spot, in dollars.
    pub lower: Decimal,
    /// The least strike above spot.
    pub upper: Decimal,
    /// (spot − lower) / (upper − lower).
    pub weight: f64,
}

impl Method {
    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::NearestFallback => "nearest_fallback",
            Self::Interpolated(_) => "interpolated",
            Self::SingleBracket(_) => "single_bracket",
        }
    }
}

/// What the options expect of the stock.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpliedMove {
    /// The strike that is shown: at the money, or the lower (or the usable) one of two.
    pub reference_strike: Decimal,
    /// Call and put at the money together, in dollars.
    pub straddle: f64,
    /// Straddle over spot, a fraction.
    pub implied_move: f64,
    /// Mean implied volatility of the legs in percent, where all have one.
    pub avg_iv: Option<f64>,
    /// How it was priced.
    pub method: Method,
    /// The worst leg that was used.
    pub liquidity: Tier,
    /// What a person should know of it.
    pub warnings: Vec<&'static str>,
}

/// The straddle of one strike.
#[derive(Clone, Copy, Debug)]
struct Straddle {
    strike: Decimal,
    cost: f64,
    iv: Option<f64>,
    tier: Tier,
}

impl Chain {
    /// The strikes, ascending.
    pub fn strikes(&self) -> impl DoubleEndedIterator<Item = Decimal> {
        let all: std::collections::BTreeSet<Decimal> =
            self.calls.keys().chain(self.puts.keys()).copied().collect();
        all.into_iter()
    }

    /// The strike nearest to spot, of two the higher one; `None` without any.
    pub fn atm_strike(&self) -> Option<Decimal> {
        self.strikes().rev().min_by_key(|strike| strike.saturating_sub(self.spot).abs())
    }

    fn straddle(&self, strike: Decimal) -> Result<Straddle, NoMove> {
        let legs = self.calls.get(&strike).zip(self.puts.get(&strike));
        let (call, put) = legs.ok_or(NoMove::MissingLeg)?;
        if !call.is_basic_liquid() || !put.is_basic_liquid() {
            return Err(NoMove::Illiquid);
        }
        let iv = call.iv.zip(put.iv).map(|(call, put)| (call + put) / 2.0);
        let tier = call.tier().min(put.tier());
        Ok(Straddle { strike, cost: float(call.mid()) + float(put.mid()), iv, tier })
    }

    /// The implied move by the strike nearest to spot (`iv_crush.md` A4.1).
    ///
    /// # Errors
    /// The first reason, in the order of [`NoMove`].
    pub fn nearest(&self) -> Result<ImpliedMove, NoMove> {
        self.at_the_money(Method::Nearest)
    }

    fn at_the_money(&self, method: Method) -> Result<ImpliedMove, NoMove> {
        let straddle = self.straddle(self.atm_strike().ok_or(NoMove::NoStrikes)?)?;
        self.priced(straddle.strike, straddle.cost, straddle.iv, straddle.tier, method)
    }

    /// The implied move by a straddle at spot itself, between the two strikes around it
    /// (`iv_crush.md` A4.2).
    ///
    /// # Errors
    /// As [`Self::nearest`]; with two strikes a missing leg goes before an illiquid one.
    pub fn interpolated(&self) -> Result<ImpliedMove, NoMove> {
        let near =
            self.strikes().any(|strike| strike.saturating_sub(self.spot).abs() < AT_THE_MONEY);
        let lower = self.strikes().rev().find(|strike| *strike < self.spot);
        let upper = self.strikes().find(|strike| *strike > self.spot);
        let (Some(lower), Some(upper), false) = (lower, upper, near) else {
            return self.at_the_money(Method::NearestFallback);
        };
        let weight = float(self.spot.saturating_sub(lower)) / float(upper.saturating_sub(lower));
        let bracket = Bracket { lower, upper, weight };
        let between = |below: f64, above: f64| below * (1.0 - weight) + above * weight;
        match (self.straddle(lower), self.straddle(upper)) {
            (Ok(below), Ok(above)) => {
                let cost = between(below.cost, above.cost);
                let iv = below.iv.zip(above.iv).map(|(below, above)| between(below, above));
                let tier = below.tier.min(above.tier);
                self.priced(lower, cost, iv, tier, Method::Interpolated(bracket))
            }
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => {
                let method = Method::SingleBracket(bracket);
                let mut found = self.priced(one.strike, one.cost, one.iv, one.tier, method)?;
                found.warnings.insert(0, "one of the two strikes around spot cannot be used");
                Ok(found)
            }
            (Err(NoMove::MissingLeg), Err(_)) | (Err(_), Err(NoMove::MissingLeg)) => {
                Err(NoMove::MissingLeg)
            }
            (Err(why), Err(_)) => Err(why),
        }
    }

    fn priced(
        &self,
        reference_strike: Decimal,
        cost: f64,
        avg_iv: Option<f64>,
        liquidity: Tier,
        method: Method,
    ) -> Result<ImpliedMove, NoMove> {
        if self.spot <= Decimal::ZERO {
            return Err(NoMove::Spot);
        }
        if cost.is_nan() || cost <= 0.0 {
            return Err(NoMove::Straddle);
        }
        let spot = float(self.spot);
        let implied_move = cost / spot;
        Ok(ImpliedMove {
            reference_strike,
            straddle: cost,
            implied_move,
            avg_iv,
            method,
            liquidity,
            warnings: warnings(cost, spot),
        })
    }
}

/// The price less and plus its straddle, in dollars: the lower one is below 0 for a move of more than
/// 100 % (`iv_crush.md` A4.1).
pub fn bounds(cost: f64, spot: f64) -> (f64, f64) {
    (spot - cost, spot + cost)
}

/// What a person should know of a straddle at a price of the stock, both in dollars
/// (`iv_crush.md` A4.1).
pub fn warnings(cost: f64, spot: f64) -> Vec<&'static str> {
    let implied_move = cost / spot;
    let all = [
        (implied_move < 0.005, "the implied move is below 0.5 %"),
        (implied_move > 0.3, "the implied move is above 30 %"),
        (cost >= spot, "the lower bound is not above 0"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(spot: &str, quotes: &[(&str, char, &str, &str)]) -> Chain {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let mut chain = Chain { spot: number(spot), ..Chain::default() };
        for (strike, right, bid, ask) in quotes {
            let market =
                Market { bid: number(bid), ask: number(ask), iv: None, open_interest: 100 };
            let side = if *right == 'C' { &mut chain.calls } else { &mut chain.puts };
            side.insert(number(strike), market);
        }
        chain
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(chain("10", &[]).interpolated(), Err(NoMove::NoStrikes));
        let one_sided = [("9", 'C', "1", "1.1"), ("11", 'C', "1", "1.1")];
        assert_eq!(chain("10", &one_sided).interpolated(), Err(NoMove::MissingLeg));
        assert_eq!(chain("10", &one_sided).nearest(), Err(NoMove::MissingLeg));
        // 200 and 200.0 are one strike.
        let both = [("10", 'C', "1", "1.1"), ("10.0", 'P', "1", "1.1")];
        assert!(chain("10", &both).nearest().is_ok());
        let negative = [("10", 'C', "-1", "-0.9"), ("10", 'P', "1", "1.1")];
        assert_eq!(chain("10", &negative).nearest(), Err(NoMove::Illiquid));
    }

    #[test]
    fn a_move_beyond_the_price_warns() {
        let found = chain("1", &[("1", 'C', "1", "1.1"), ("1", 'P', "1", "1.1")]).nearest();
        let found = found.unwrap();
        assert!(bounds(found.straddle, 1.0).0 < 0.0 && found.implied_move > 1.0);
        assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    }
}
