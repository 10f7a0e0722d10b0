//! Finding the separator and the header, and binding columns to fields.

use super::records::{Record, Records, Stop, Watch};
use super::text::guessed_text;
use crate::sources::Limits;
use crate::sources::mapping::{Column, Mapping, Name, Need, normal_name};
use std::io::{Read, Seek, SeekFrom};

/// Separators, in the order of trying.
pub(super) const DELIMITERS: [(u8, &str); 4] =
    [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab"), (b'|', "pipe")];

/// How many records are looked at for a header.
const HEADER_RECORDS: usize = 10;

/// A header, bound to a mapping.
#[derive(Debug)]
pub(super) struct Header<'m> {
    pub(super) delimiter: u8,
    pub(super) delimiter_name: &'static str,
    pub(super) line: u32,
    /// How many cells it has.
    pub(super) cells: usize,
    /// How many of them there are up to the last one with a name.
    pub(super) named_cells: usize,
    /// Their names, in normal spelling.
    pub(super) names: Vec<String>,
    /// The cell of the date.
    pub(super) date: Option<usize>,
    /// The cell of the symbol.
    pub(super) symbol: Option<usize>,
    /// The value columns that are there, in the mapping's order, with their cells.
    pub(super) columns: Vec<(usize, &'m Column)>,
    /// The columns that are not there and have a value all the same.
    pub(super) defaults: Vec<&'m Column>,
    /// The cell of the item.
    pub(super) item: Option<usize>,
    /// The further days of a row.
    pub(super) more: Vec<BoundPart<'m>>,
    /// Names of columns without which nothing works.
    pub(super) missing: Vec<String>,
    pub(super) missing_optional: Vec<String>,
    pub(super) ignored: Vec<String>,
    /// Names of columns that are read and stand in the header once more.
    pub(super) repeated: Vec<String>,
}

impl Header<'_> {
    /// How many value columns there are, those of further days included.
    pub(super) fn all_columns(&self) -> usize {
        self.columns.len() + self.more.iter().map(|part| part.columns.len()).sum::<usize>()
    }

    /// How many cells a row needs to have so that no column that is read is beyond its end.
    pub(super) fn mapped_cells(&self) -> usize {
        let more = self.more.iter().flat_map(|part| &part.columns);
        let columns = self.columns.iter().chain(more).map(|(cell, _)| *cell);
        let used = columns.chain(self.dates()).chain(self.symbol).chain(self.item);
        used.max().map_or(0, |last| last + 1)
    }

    /// The cells that are dates.
    pub(super) fn dates(&self) -> impl Iterator<Item = usize> {
        self.date.into_iter().chain(self.more.iter().map(|part| part.date))
    }
}

/// A further day of a row, bound to its cells.
#[derive(Debug)]
pub(super) struct BoundPart<'m> {
    /// The cell of the date.
    pub(super) date: usize,
    pub(super) columns: Vec<(usize, &'m Column)>,
}

/// Looks for the header of a file: the first of its first records that holds every needed column.
///
/// When there is none, the record that comes closest is returned, with `missing` filled, if any
/// needed column is in it at all. A separator under which the records are malformed is passed
/// over; the first such trouble is reported when no other separator finds anything.
pub(super) fn find_header<'m, R: Read + Seek>(
    input: &mut R,
    bom: usize,
    mapping: &'m Mapping,
    limits: Limits,
) -> Result<Option<Header<'m>>, Stop> {
    let mut closest: Option<Header<'m>> = None;
    let mut trouble = None;
    for (delimiter, name) in DELIMITERS {
        input.seek(SeekFrom::Start(0)).map_err(Stop::Io)?;
        match try_delimiter(input, bom, (delimiter, name), mapping, limits) {
            Ok(Some(header)) if header.missing.is_empty() => return Ok(Some(header)),
            Ok(Some(header)) => {
                let closer = closest.as_ref().is_none_or(|known| found(known) < found(&header));
                if closer {
                    closest = Some(header);
                }
            }
            Ok(None) => {}
            Err(Stop::Io(error)) => return Err(Stop::Io(error)),
            Err(stop) => trouble = trouble.or(Some(stop)),
        }
    }
    match trouble {
        Some(stop) => Err(stop),
        None => Ok(closest),
    }
}

/// The first line with anything in it and its cells, for a person who looks for their header. The
/// separator is the one that finds the most cells; of as many not the comma, which stands in words too.
pub(super) fn first_line<R: Read + Seek>(
    input: &mut R,
    bom: usize,
    limits: Limits,
) -> Option<(u32, String)> {
    let mut best: Option<(u32, Vec<String>)> = None;
    for (delimiter, _) in DELIMITERS {
        input.seek(SeekFrom::Start(0)).ok()?;
        let mut watch = Unwatched;
        let Ok(mut records) = Records::new(input, &mut watch, delimiter, bom, limits) else {
            continue;
        };
        for _ in 0..HEADER_RECORDS {
            // What no separator makes a record of has been told.
            let Ok(Some(record)) = records.next() else { break };
            let cells = record.cells().map(|cell| guessed_text(cell).trim().to_owned());
            let cells: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
            if cells.is_empty() {
                continue;
            }
            let as_many = |known: usize| known > 1 && known == cells.len();
            if best.as_ref().is_none_or(|(_, of)| of.len() < cells.len() || as_many(of.len())) {
                best = Some((record.line, cells));
            }
            break;
        }
    }
    best.map(|(line, cells)| (line, few(&cells)))
}

/// The first of some names, each within bounds.
pub(in crate::sources) fn few(names: &[String]) -> String {
    const FEW: usize = 8;
    const LONG: usize = 40;
    let short = |name: &String| match name.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.clone(),
    };
    let mut told: Vec<String> = names.iter().take(FEW).map(short).collect();
    if names.len() > FEW {
        told.push(format!("and {} more", names.len() - FEW));
    }
    told.join(", ")
}

/// How much of what is needed a header has.
fn found(header: &Header<'_>) -> usize {
    let needed = header.columns.iter().filter(|(_, column)| column.need != Need::Optional);
    needed.count() + usize::from(header.date.is_some())
}

/// Bytes are noted by the passes; looking for a header notes nothing.
struct Unwatched;

impl Watch for Unwatched {
    fn take(&mut self, _: &[u8]) {}
}

fn try_delimiter<'m, R: Read>(
    input: &mut R,
    bom: usize,
    delimiter: (u8, &'static str),
    mapping: &'m Mapping,
    limits: Limits,
) -> Result<Option<Header<'m>>, Stop> {
    let mut watch = Unwatched;
    let mut records = Records::new(input, &mut watch, delimiter.0, bom, limits)?;
    let mut closest: Option<Header<'m>> = None;
    for _ in 0..HEADER_RECORDS {
        let Some(record) = records.next()? else {
            break;
        };
        let header = bind(record, delimiter, mapping);
        if header.missing.is_empty() {
            return Ok(Some(header));
        }
        if found(&header) > closest.as_ref().map_or(0, found) {
            closest = Some(header);
        }
    }
    Ok(closest)
}

/// Binds the cells of a record to the mapping's columns.
fn bind<'m>(
    record: Record<'_>,
    (delimiter, delimiter_name): (u8, &'static str),
    mapping: &'m Mapping,
) -> Header<'m> {
    let cells: Vec<String> = record.cells().map(|cell| normal_name(&guessed_text(cell))).collect();
    // A mapping's first name goes before its synonyms, wherever the cells stand.
    let cell_of = |names: &[Name]| {
        names.iter().find_map(|name| cells.iter().position(|cell| *cell == name.normal))
    };
    let date = cell_of(&mapping.date);
    let symbol = cell_of(&mapping.symbol);
    let item = cell_of(&mapping.item);
    let bound = |of: &'m [Column]| -> Vec<(usize, &'m Column)> {
        of.iter().filter_map(|column| Some((cell_of(&column.names)?, column))).collect()
    };
    let columns = bound(&mapping.columns);
    let more = mapping.more.iter().filter_map(|part| {
        Some(BoundPart { date: cell_of(&part.date)?, columns: bound(&part.columns) })
    });
    let more: Vec<BoundPart<'m>> = more.collect();

    let absent = |need: Need| {
        let absent = mapping.columns.iter().filter(move |column| column.need == need);
        absent.filter(|column| cell_of(&column.names).is_none())
    };
    let defaults = mapping.columns.iter().filter(|column| column.default.is_some());
    let defaults = defaults.filter(|column| cell_of(&column.names).is_none()).collect();
    let title = |names: &[Name]| names.first().map(|name| name.text.clone());
    let mut missing: Vec<String> = Vec::new();
    if date.is_none() {
        missing.extend(title(&mapping.date));
    }
    if item.is_none() && !mapping.item.is_empty() {
        missing.extend(title(&mapping.item));
    }
    for part in &mapping.more {
        let required = part.columns.iter().filter(|column| column.need == Need::Required);
        let names = required.map(|column| &column.names).chain([&part.date]);
        missing.extend(names.filter(|of| cell_of(of).is_none()).filter_map(|of| title(of)));
    }
    missing.extend(absent(Need::Required).filter_map(|column| title(&column.names)));
    let one_of = mapping.columns.iter().filter(|column| column.need == Need::OneOf);
    if one_of.clone().next().is_some() && absent(Need::OneOf).count() == one_of.clone().count() {
        let names: Vec<String> = one_of.filter_map(|column| title(&column.names)).collect();
        missing.push(names.join("|"));
    }

    let of_parts =
        more.iter().flat_map(|part| part.columns.iter().map(|(cell, _)| *cell).chain([part.date]));
    let used = date.into_iter().chain(symbol).chain(item).chain(of_parts);
    let used: Vec<usize> = used.chain(columns.iter().map(|(cell, _)| *cell)).collect();
    let known = |cell: &String| mapping.known.iter().any(|name| name.normal == *cell);
    let unused = cells.iter().enumerate();
    let unused = unused.filter(|(i, cell)| !used.contains(i) && !cell.is_empty() && !known(cell));
    let (repeated, ignored): (Vec<_>, Vec<_>) = unused
        .map(|(_, cell)| cell.clone())
        .partition(|cell| used.iter().any(|i| cells.get(*i) == Some(cell)));
    Header {
        delimiter,
        delimiter_name,
        line: record.line,
        cells: cells.len(),
        named_cells: cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1),
        date,
        symbol,
        item,
        defaults,
        more,
        missing,
        missing_optional: absent(Need::Optional)
            .filter(|column| !column.quiet)
            .filter_map(|column| title(&column.names))
            .collect(),
        ignored,
        repeated,
        columns,
        names: cells,
    }
}

/// What a file without any header lacks.
pub(super) fn all_missing(mapping: &Mapping) -> Vec<String> {
    let title = |names: &[Name]| names.first().map(|name| name.text.clone());
    let mut missing: Vec<String> = title(&mapping.date).into_iter().collect();
    let need = |need: Need| {
        let columns = mapping.columns.iter().filter(move |column| column.need == need);
        columns.filter_map(move |column| title(&column.names))
    };
    missing.extend(need(Need::Required));
    let one_of: Vec<String> = need(Need::OneOf).collect();
    missing.extend((!one_of.is_empty()).then(|| one_of.join("|")));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn header<'m>(text: &str, mapping: &'m Mapping) -> Option<Header<'m>> {
        let mut input = Cursor::new(text.as_bytes());
        find_header(&mut input, 0, mapping, Limits::default()).unwrap()
    }

    #[test]
    fn separators_and_preambles() {
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        for (text, want) in [
            ("Date,IV30\n", Some(("comma", 1, true))),
            ("date;iv30\n", Some(("semicolon", 1, true))),
            ("IV30\tDate\n", Some(("tab", 1, true))),
            ("a,b\n\n\"q\",x\nDate|IV30\n", Some(("pipe", 4, true))),
            ("\u{a0}DATE ,  \"iv30\"\n", Some(("comma", 1, false))),
            ("\u{a0}DATE ,\"  iv30\"\n", Some(("comma", 1, true))),
            ("x\nDate,IV 30\nIV30\n", Some(("comma", 2, false))),
            ("a;b\nDate;x\n", Some(("semicolon", 2, false))),
            ("a,b\n", None),
            ("", None),
            ("\n\n\n\n\n\n\n\n\n\nDate,IV30\n", None),
        ] {
            let got = header(text, &mapping);
            let got = got.map(|h| (h.delimiter_name, h.line, h.missing.is_empty()));
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn the_first_line_is_told_as_it_stands() {
        let seen = |text: &str| first_line(&mut Cursor::new(text.as_bytes()), 0, Limits::default());
        let told = seen("\nDatum;Aandeel;Impliciete vol, %\n1;2;3\n");
        assert_eq!(told, Some((2, "Datum, Aandeel, Impliciete vol, %".to_owned())));
        let told = seen(&format!("{},b,c,d,e,f,g,h,i,j\n", "a".repeat(50))).unwrap().1;
        assert_eq!(told, format!("{}…, b, c, d, e, f, g, h, and 2 more", "a".repeat(40)));
        assert_eq!((seen(""), seen(" , ;\n\n")), (None, Some((1, ";".to_owned()))));
    }

    #[test]
    fn synonyms_have_an_order_and_strangers_are_listed() {
        let mapping = Mapping::bundled("spot-ohlc").unwrap();
        let text = "Ticker,Day,Adj Close,Closing Price,Close,,Foo  Bar\n";
        let header = header(text, &mapping).unwrap();
        assert_eq!((header.date, header.symbol), (Some(1), Some(0)));
        let cells: Vec<usize> = header.columns.iter().map(|(cell, _)| *cell).collect();
        assert_eq!(cells, [4]);
        assert_eq!(header.ignored, ["adj close", "closing price", "foo bar"]);
        assert_eq!(header.missing_optional, ["open", "high", "low", "volume"]);
        assert!(header.missing.is_empty());
    }

    #[test]
    fn an_adjusted_close_alone_is_not_enough() {
        let mapping = Mapping::bundled("spot-ohlc").unwrap();
        assert_eq!(header("Date,Adj Close\n", &mapping).unwrap().missing, ["close"]);
    }

    #[test]
    fn one_of_several_columns_is_enough() {
        let mapping = Mapping::bundled("hv-percent").unwrap();
        assert!(header("date,hv90\n", &mapping).unwrap().missing.is_empty());
        assert_eq!(header("date,x\n", &mapping).unwrap().missing, ["hv20|hv30|hv90|hv252"]);
        assert_eq!(all_missing(&mapping), ["date", "hv20|hv30|hv90|hv252"]);
    }
}
