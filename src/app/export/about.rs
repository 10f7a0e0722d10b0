//! What views and their fields mean, in the words of `schemas/series`.

use crate::domain::Series;
use serde_json::Value;

/// The description of a view.
#[derive(Clone, Debug)]
pub struct About(Value);

/// The description of a view, as `schemas/series` has it.
pub fn about(series: Series) -> About {
    let text = match series {
        Series::Iv => include_str!("../../../schemas/series/iv.json"),
        Series::Hv => include_str!("../../../schemas/series/hv.json"),
        Series::Spot => include_str!("../../../schemas/series/spot.json"),
        Series::Bars => include_str!("../../../schemas/series/bars.json"),
        Series::Chain => include_str!("../../../schemas/series/chain.json"),
        Series::Contracts => include_str!("../../../schemas/series/contracts.json"),
        Series::Index => include_str!("../../../schemas/series/index.json"),
        Series::News => include_str!("../../../schemas/series/news.json"),
        Series::Splits => include_str!("../../../schemas/series/splits.json"),
        Series::Dividends => include_str!("../../../schemas/series/dividends.json"),
        Series::Calendar => include_str!("../../../schemas/series/calendar.json"),
        Series::Quotes => include_str!("../../../schemas/series/quotes.json"),
        Series::Tickers => include_str!("../../../schemas/series/tickers.json"),
        Series::Earnings => include_str!("../../../schemas/series/earnings.json"),
        Series::Moves => include_str!("../../../schemas/series/moves.json"),
        Series::Straddles => include_str!("../../../schemas/series/straddles.json"),
    };
    About(serde_json::from_str(text).unwrap_or_default())
}

impl About {
    /// What the view is.
    pub fn view(&self) -> String {
        said(self.0.get("description"))
    }

    /// What a field of it is; its unit's meaning follows where there is one.
    pub fn field(&self, name: &str) -> String {
        let fields = self.0.get("fields").and_then(Value::as_array).into_iter().flatten();
        let named = |field: &&Value| field.get("name").and_then(Value::as_str) == Some(name);
        let Some(field) = fields.into_iter().find(named) else { return String::new() };
        let unit = field.get("unit").and_then(Value::as_str).unwrap_or_default();
        let unit = said(self.0.get("units").and_then(|units| units.get(unit)));
        let about = said(field.get("description"));
        if unit.is_empty() { about } else { format!("{about} Unit: {unit}.") }
    }
}

fn said(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_and_field_is_described() {
        for series in Series::ALL {
            let about = about(series);
            assert_eq!(about.0["series"], series.name());
            assert!(about.view().ends_with('.'));
            for field in series.fields() {
                assert!(about.field(field.name).ends_with('.'), "{series} {}", field.name);
            }
        }
    }
}
