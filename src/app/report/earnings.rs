//! Earnings: announcements with their moves, and what options pay for the next one. Moves are
//! fractions of the reference price, volatilities here percent.

use serde::Serialize;

/// The announcements of a stock: `volledger/earnings/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/earnings/1")]
pub struct Earnings {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The symbol.
    pub symbol: String,
    /// The company's name, where the calendar has it.
    pub name: Option<String>,
    /// The day that is looked from.
    pub date: String,
    /// The projection that the moves are from.
    pub projection: String,
    /// The move that is summed up: `close_move`, `gap_move` or `intraday_move`.
    pub metric: &'static str,
    /// The next announcement, if the calendar has one.
    pub next: Option<NextEarnings>,
    /// The moves that are known by that day, summed up; none with too few of them.
    pub history: Option<MoveHistory>,
    /// Why there is no sum, or what it leaves out.
    pub notes: Vec<String>,
    /// Announcements, the newest first.
    pub rows: Vec<EarningsRow>,
}

/// An announcement to come.
#[derive(Clone, Debug, Serialize)]
pub struct NextEarnings {
    /// Its day.
    pub earnings_date: String,
    /// BMO, AMC, DMH or UNKNOWN.
    pub timing: String,
    /// Whether the company confirmed the day, where that is said.
    pub confirmed: Option<bool>,
    /// Calendar days until then.
    pub days: i32,
}

/// An announcement with its move.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EarningsRow {
    /// Its day.
    pub earnings_date: String,
    /// BMO, AMC, DMH or UNKNOWN.
    pub timing: Option<String>,
    /// OK, PENDING, NODATA or QUARANTINED.
    pub status: Option<String>,
    /// Why there is no move, or `inferred`.
    pub reason: Option<String>,
    /// The last session before the news.
    pub reference_session: Option<String>,
    /// The session that is measured.
    pub reaction_session: Option<String>,
    /// Close of the reference session, dollars.
    pub reference_close: Option<f64>,
    /// Close of the reaction session, dollars.
    pub close: Option<f64>,
    /// Reference close to open.
    pub gap_move: Option<f64>,
    /// High less low.
    pub intraday_move: Option<f64>,
    /// Close to close.
    pub close_move: Option<f64>,
    /// `bars`, or `vendor` for a move that was recorded as such.
    pub basis: Option<String>,
}

/// Magnitudes of moves, summed up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MoveHistory {
    /// How many.
    pub n: u64,
    /// Mean.
    pub mean_move: f64,
    /// Median.
    pub median_move: f64,
    /// Population standard deviation.
    pub std_move: f64,
    /// Median distance from the median.
    pub mad_move: f64,
    /// The greatest.
    pub max_move: f64,
    /// The least.
    pub min_move: f64,
    /// Standard deviation over mean.
    pub cv: f64,
    /// The greatest over the mean.
    pub tail_risk_ratio: f64,
    /// HIGH, NORMAL or LOW.
    pub tail_risk: &'static str,
    /// 1 less MAD / median: 1 is perfectly steady; none when the median is 0.
    pub consistency: Option<f64>,
    /// 0 to 100 by exponential weights.
    pub consistency_score: Option<f64>,
    /// `increasing`, `stable` or `decreasing`.
    pub trend: Option<&'static str>,
    /// Percentage points a quarter.
    pub trend_slope: Option<f64>,
    /// 0 to 1: how far the score can be trusted.
    pub trust: Option<f64>,
    /// How far the newest four lie above the weighted mean, percent of it.
    pub recent_bias_percent: Option<f64>,
}

/// Implied against past moves: `volledger/vrp/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/vrp/1")]
pub struct Vrp {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The day that was asked for.
    pub date: Option<String>,
    /// The projection that past moves are from.
    pub projection: String,
    /// The tiers.
    pub tiers: VrpTiers,
    /// The stocks: scored ones by score, then the others by symbol.
    pub rows: Vec<VrpRow>,
    /// How many of each.
    pub summary: VrpSummary,
}

/// A set of tiers.
#[derive(Clone, Debug, Serialize)]
pub struct VrpTiers {
    /// Its name.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// One sentence for a person.
    pub title: String,
    /// From this ratio on EXCELLENT.
    pub excellent: f64,
    /// GOOD.
    pub good: f64,
    /// MARGINAL; below it SKIP.
    pub marginal: f64,
    /// The move that counts: `close_move`, `gap_move` or `intraday_move`.
    pub metric: &'static str,
    /// Past moves that are needed.
    pub min_quarters: u64,
    /// The most that are looked at.
    pub max_quarters: u64,
}

/// What became of the stocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VrpSummary {
    /// Looked at.
    pub symbols: u64,
    /// With a ratio.
    pub analysed: u64,
    /// Of these GOOD or EXCELLENT, on a session and not over.
    pub tradeable: u64,
    /// Without enough past moves.
    pub no_history: u64,
    /// Without an implied move.
    pub no_implied_move: u64,
    /// That could not be answered.
    pub errors: u64,
}

/// A stock.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VrpRow {
    /// The symbol.
    pub symbol: String,
    /// The company's name, where the calendar has it.
    pub name: Option<String>,
    /// SUCCESS, NO_HISTORICAL_DATA, NO_IMPLIED_MOVE or ERROR.
    pub status: &'static str,
    /// The announcement that the options are about.
    pub earnings_date: Option<String>,
    /// BMO, AMC, DMH or UNKNOWN.
    pub timing: Option<String>,
    /// The day of the quotes.
    pub date: Option<String>,
    /// `straddles` or `chain`.
    pub implied_from: Option<&'static str>,
    /// The expiration.
    pub expiration: Option<String>,
    /// Price of the stock, dollars.
    pub stock_price: Option<f64>,
    /// The reference strike, dollars.
    pub strike: Option<f64>,
    /// Call and put together, dollars.
    pub straddle: Option<f64>,
    /// How a chain's straddle was priced: `nearest_fallback`, `interpolated`, `single_bracket`.
    pub method: Option<&'static str>,
    /// Straddle over price.
    pub implied_move: Option<f64>,
    /// Price plus straddle, dollars.
    pub upper_bound: Option<f64>,
    /// Price less straddle, dollars.
    pub lower_bound: Option<f64>,
    /// Mean volatility of the legs, percent.
    pub avg_iv_percent: Option<f64>,
    /// Mean of the past moves.
    pub mean_move: Option<f64>,
    /// Implied over mean.
    pub vrp: Option<f64>,
    /// The ratio, less for an unsteady history.
    pub edge_score: Option<f64>,
    /// EXCELLENT, GOOD, MARGINAL or SKIP.
    pub tier: Option<&'static str>,
    /// Whether the tier is GOOD or EXCELLENT, and the announcement on a session and not over.
    pub tradeable: bool,
    /// Past moves that were used.
    pub n: u64,
    /// 0 to 100: what the ranking goes by.
    pub score: Option<f64>,
    /// EXCELLENT, GOOD, WARNING or REJECT; none where the quotes are not known.
    pub liquidity: Option<&'static str>,
    /// The past moves summed up.
    pub history: Option<MoveHistory>,
    /// The slope of the smile.
    pub skew: Option<VrpSkew>,
    /// Volatility over expirations.
    pub term: Option<VrpTerm>,
    /// The past moves that were used, the newest first.
    pub moves: Vec<VrpMove>,
    /// The projection that they are from.
    pub projection: String,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// A past move that was used.
#[derive(Clone, Debug, Serialize)]
pub struct VrpMove {
    /// The day of the announcement.
    pub earnings_date: String,
    /// The session that was measured.
    pub reaction_session: Option<String>,
    /// The move, with the sign that the projection gives it.
    #[serde(rename = "move")]
    pub size: f64,
}

/// The smile of the expiration. Volatilities are percent, slopes points for 100 % of spot.
#[derive(Clone, Debug, Serialize)]
pub struct VrpSkew {
    /// Volatility at spot.
    pub atm_iv_percent: Option<f64>,
    /// Slope at spot; negative where puts are dearer.
    pub slope: Option<f64>,
    /// Curvature.
    pub curvature: Option<f64>,
    /// Share of the scatter that the parabola explains.
    pub r_squared: Option<f64>,
    /// Volatility at 90 % less that at 110 % of spot, points.
    pub iv_90_minus_110: Option<f64>,
    /// The original's form, puts against calls of equal strikes: slope at spot.
    pub parity_slope: Option<f64>,
    /// What it says: `neutral`, `weak_bearish` and so on.
    pub directional_bias: Option<&'static str>,
    /// How far that can be trusted, 0 to 1.
    pub bias_confidence: Option<f64>,
}

/// The term structure.
#[derive(Clone, Debug, Serialize)]
pub struct VrpTerm {
    /// Points a 30 days.
    pub slope_per_30d: f64,
    /// The nearest less the last volatility, points.
    pub front_minus_back: f64,
    /// `backwardation`, `contango` or `flat`.
    pub state: &'static str,
    /// Volatilities between neighbours, percent; none where the variance is negative.
    pub forwards: Vec<VrpForward>,
}

/// The volatility between two expirations.
#[derive(Clone, Debug, Serialize)]
pub struct VrpForward {
    /// The nearer one.
    pub from: String,
    /// The later one.
    pub to: String,
    /// Percent.
    pub forward_iv_percent: Option<f64>,
}
