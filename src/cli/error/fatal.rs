//! What to do about a source that cannot be used at all.

use crate::app::error::ReadAs;
use crate::domain::Series;

/// The next step, by the finding's code; for a table by what it was to be read as.
pub(super) fn hint(code: &str, read_as: Option<&ReadAs>) -> String {
    match code {
        "no_session" => "nothing of it was used; run it again with the day of the quotes",
        "no_underlying" => "nothing of it was used; run it again with the symbol: `-s SYMBOL`",
        "missing_columns" | "symbol_missing" => return columns(read_as),
        "unknown_columns" | "unknown_layout" => {
            "nothing of it was used; `volledger import bars --help` and `volledger import chain \
             --help` name the columns; daily prices with others: `import spot --mapping FILE`"
        }
        "date_order_conflict" => {
            "nothing of it was used; correct the dates, or say their order in a mapping: \
             `--mapping FILE`"
        }
        "no_files" => {
            "nothing of it was used; `iv_daily_summary/AAPL.json` is what a file is named, as \
             `volledger export tomic DIR` writes them"
        }
        "file_left_out" => {
            "nothing was staged; rename these files or take them away, or import without \
             `--snapshot`"
        }
        "empty_file" => {
            "nothing was staged; put the file back whole, or take it away if its symbol is \
             to go"
        }
        _ => "nothing of it was used; correct the file, or export it again",
    }
    .to_owned()
}

/// Where the columns of a table are not those of the mapping.
fn columns(read_as: Option<&ReadAs>) -> String {
    let (fits, others) = (Vec::new(), Vec::new());
    let usual = || ReadAs { series: Series::Iv, mapping: "mc-iv", fits, others };
    let ReadAs { series, mapping, fits, others } = read_as.cloned().unwrap_or_else(usual);
    let others: Vec<String> = others.iter().map(|id| format!("`--mapping {id}`")).collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(" {} reads such columns;", others.join(" or ")),
    };
    let named: Vec<String> = fits.iter().map(|of| format!("`volledger import {of}`")).collect();
    let fits = match fits.first() {
        Some(first) => {
            let named = named.join(" or ");
            format!(" it has what {named} needs (`volledger check FILE --series {first}`);")
        }
        None => String::new(),
    };
    format!(
        "nothing of it was used;{others}{fits} a mapping of your own says what other columns mean: \
         `--mapping FILE`; `volledger import {series} --print-mapping {mapping}` prints one to start \
         from"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fatal_finding_has_its_hint_by_its_code() {
        // Bars and chains are read without a mapping.
        assert!(hint("unknown_columns", None).contains("import bars --help"));
        assert!(hint("no_session", None).contains("the day of the quotes"));
        assert!(hint("file_left_out", None).contains("without `--snapshot`"));
        assert!(hint("no_underlying", None).contains("`-s SYMBOL`"));
    }

    #[test]
    fn other_columns_lead_to_the_mapping_of_their_series() {
        let read_as =
            ReadAs { series: Series::Hv, mapping: "hv-percent", fits: vec![], others: vec![] };
        let said = hint("missing_columns", Some(&read_as));
        assert!(said.contains("`--mapping FILE`"), "{said}");
        assert!(said.contains("`volledger import hv --print-mapping hv-percent`"), "{said}");
        let others = ReadAs { others: vec!["hv-fraction"], ..read_as.clone() };
        let said = hint("missing_columns", Some(&others));
        assert!(said.contains("`--mapping hv-fraction` reads such columns"), "{said}");
        let fits = ReadAs { fits: vec![Series::Spot], ..read_as };
        let said = hint("missing_columns", Some(&fits));
        assert!(said.contains("has what `volledger import spot` needs"), "{said}");
        assert!(said.contains("`volledger check FILE --series spot`"), "{said}");
    }
}
