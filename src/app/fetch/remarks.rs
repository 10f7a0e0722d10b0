//! Findings about an answer as a whole.

use super::coverage::CoverageMap;
use super::note::Note;
use super::reading::finding;
use super::{Endpoint, Question};
use crate::app::error::Result;
use crate::app::views::ViewReader;
use crate::domain::{Day, Finding, Series, Severity};
use crate::projections::view::Which;
use crate::sources::alpha_vantage;
use crate::sources::polygon::TickerError;

/// A finding when prices as traded lie before a known split: adjusted prices beside them are per other
/// shares. Where nobody asked about splits, the finding says that.
pub(super) fn as_traded(
    reader: &ViewReader<'_>,
    coverage: &CoverageMap,
    question: &Question,
    days: Option<(Day, Day)>,
) -> Result<Option<Finding>> {
    let daily = Endpoint::AlphaVantage(alpha_vantage::Endpoint::Daily);
    let (Some(symbol), Some((first, _))) = (&question.symbol, days) else { return Ok(None) };
    if question.endpoint != daily {
        return Ok(None);
    }
    let at = reader.ledger().position();
    let splits = reader.records(Series::Splits, symbol, at, Which::Latest)?;
    if splits.is_empty() && coverage.about(Series::Splits, Some(symbol), "").next().is_none() {
        let text = format!(
            "{symbol}: these prices are as traded, and whether there was a split is not known: see \
             `volledger fetch splits`"
        );
        return Ok(Some(finding("splits_unknown", Severity::Info, None, text)));
    }
    Ok(splits.iter().find(|split| split.day > first).map(|split| {
        let text = format!(
            "{symbol}: these prices are as traded, and there was a split on {}: the days before it \
             count in other shares",
            split.day
        );
        finding("not_adjusted", Severity::Warning, Some(first), text)
    }))
}

/// A finding about a ticker that failed inside an answer.
pub(super) fn failed_ticker(error: &TickerError) -> Finding {
    let text = format!("{}: {} {}", error.ticker, error.code, error.message);
    finding("ticker_error", Severity::Warning, None, text.trim_end().to_owned())
}

/// A finding when this machine's clock and the service's are more than a day apart.
pub(super) fn clocks(note: &Note) -> Option<Finding> {
    let apart = (note.observed_ms - note.server_ms?) / 86_400_000;
    let text = format!(
        "this machine's clock is {} day{} {} the service's: what is final is judged by the earlier \
         one",
        apart.abs(),
        if apart.abs() == 1 { "" } else { "s" },
        if apart > 0 { "ahead of" } else { "behind" }
    );
    (apart != 0).then(|| finding("clock_differs", Severity::Warning, None, text))
}
