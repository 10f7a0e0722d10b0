//! Manifests: the sources of a batch, and for a fetched one what was asked and answered.

use super::super::error::LedgerError;
use super::upcast::series_of;
use super::v1::{ManifestSourceV1, ManifestV1};
use super::v2::{CoverageV2, HttpV2, ManifestV2};
use super::{Tag, V2, from_bytes, from_bytes_of, to_bytes, to_bytes_of};
use crate::domain::{Coverage, Day, Digest, Fact, Series, Symbol};

/// How a source arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file.
    File,
    /// An HTTP response.
    Http,
    /// A message of a stream, or standard input.
    Stream,
    /// The list of a folder's files, written by this program.
    Listing,
    /// A computation of this program: its formula and its inputs.
    Derived,
}

impl SourceKind {
    const ALL: [Self; 5] = [Self::File, Self::Http, Self::Stream, Self::Listing, Self::Derived];

    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Stream => "stream",
            Self::Listing => "listing",
            Self::Derived => "derived",
        }
    }

    /// The stored number.
    fn number(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Http => 2,
            Self::Stream => 3,
            Self::Listing => 4,
            Self::Derived => 5,
        }
    }
}

/// The sources of a batch, in the order that its events index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The sources.
    pub sources: Vec<ManifestSource>,
    /// What was asked of a service and how it was answered; empty for files.
    pub coverage: Vec<Coverage>,
}

/// One source of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSource {
    /// Digest of its bytes: its id.
    pub digest: Digest,
    /// How it arrived.
    pub kind: SourceKind,
    /// File name, or path and query without any secret.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was observed, ms since 1970 UTC.
    pub observed_ms: i64,
    /// What the reader was told that it is a record of.
    pub series: Series,
    /// The symbol that the reader was told, if any.
    pub symbol: Option<Symbol>,
    /// What is known of an HTTP response besides its body.
    pub http: Option<Http>,
}

/// What is known of an HTTP response besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// Its status.
    pub status: u16,
    /// Attempts until it came.
    pub attempts: u32,
    /// Number of the question in its run, from 0.
    pub question: u32,
    /// Number of the page in the answer, from 0.
    pub page: u32,
    /// Chosen headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How the reader was told to read it: the endpoint, and the symbols that were taken of an answer
    /// about all of them.
    pub reader: String,
}

fn malformed() -> LedgerError {
    LedgerError::Malformed { what: "a manifest" }
}

fn source_to_wire(s: &ManifestSource) -> ManifestSourceV1 {
    ManifestSourceV1 {
        digest: s.digest.0,
        kind: s.kind.number(),
        name: s.name.clone(),
        media_type: s.media_type.clone(),
        size: s.size,
        observed_ms: s.observed_ms,
        read_as: (s.series.code(), s.symbol.as_ref().map(ToString::to_string).unwrap_or_default()),
    }
}

fn symbol_of(name: &str) -> Result<Option<Symbol>, LedgerError> {
    match name {
        "" => Ok(None),
        name => Symbol::exact(name).map(Some).map_err(|_| malformed()),
    }
}

fn source_from_wire(
    s: ManifestSourceV1,
    http: Option<Http>,
) -> Result<ManifestSource, LedgerError> {
    let kind = SourceKind::ALL.into_iter().find(|kind| kind.number() == s.kind);
    Ok(ManifestSource {
        digest: Digest(s.digest),
        kind: kind.ok_or_else(malformed)?,
        name: s.name,
        media_type: s.media_type,
        size: s.size,
        observed_ms: s.observed_ms,
        series: series_of(s.read_as.0)?,
        symbol: symbol_of(&s.read_as.1)?,
        http,
    })
}

/// Encodes a manifest; the digest of these bytes is in the stage entry. Without anything fetched
/// it is of version 1.
pub fn encode_manifest(manifest: &Manifest) -> Result<Vec<u8>, LedgerError> {
    let plain = manifest.coverage.is_empty() && manifest.sources.iter().all(|s| s.http.is_none());
    if plain {
        let sources = manifest.sources.iter().map(source_to_wire).collect();
        return to_bytes(Tag::Manifest, &ManifestV1 { sources });
    }
    let http = |http: &Http| HttpV2 {
        status: http.status,
        attempts: http.attempts,
        question: http.question,
        page: http.page,
        headers: http.headers.clone(),
        reader: http.reader.clone(),
    };
    let sources = manifest.sources.iter().map(|s| (source_to_wire(s), s.http.as_ref().map(http)));
    let coverage = manifest.coverage.iter().map(|c| CoverageV2 {
        series: c.series.code(),
        symbol: c.symbol.as_ref().map(ToString::to_string).unwrap_or_default(),
        scope: c.scope.clone(),
        from: c.from.0,
        to: c.to.0,
        fact: Fact::ALL.iter().position(|fact| *fact == c.fact).unwrap_or(0) as u8 + 1,
        settled: c.settled.0,
        observed_ms: c.observed_ms,
        meaning: c.meaning.0,
        text: c.text.clone(),
    });
    let wire = ManifestV2 { sources: sources.collect(), coverage: coverage.collect() };
    to_bytes_of(Tag::Manifest, V2, &wire)
}

/// Decodes a manifest.
pub fn decode_manifest(bytes: &[u8]) -> Result<Manifest, LedgerError> {
    if bytes.get(1) != Some(&V2) {
        let wire: ManifestV1 = from_bytes(Tag::Manifest, "a manifest", bytes)?;
        let sources = wire.sources.into_iter().map(|s| source_from_wire(s, None));
        return Ok(Manifest { sources: sources.collect::<Result<_, _>>()?, coverage: Vec::new() });
    }
    let wire: ManifestV2 = from_bytes_of(Tag::Manifest, V2, "a manifest", bytes)?;
    let sources = wire.sources.into_iter().map(|(source, http)| {
        let http = http.map(|h| Http {
            status: h.status,
            attempts: h.attempts,
            question: h.question,
            page: h.page,
            headers: h.headers,
            reader: h.reader,
        });
        source_from_wire(source, http)
    });
    let coverage = wire.coverage.into_iter().map(|c| {
        let fact = usize::from(c.fact).checked_sub(1).and_then(|at| Fact::ALL.get(at));
        Ok(Coverage {
            series: series_of(c.series)?,
            symbol: symbol_of(&c.symbol)?,
            scope: c.scope,
            from: Day(c.from),
            to: Day(c.to),
            fact: *fact.ok_or_else(malformed)?,
            settled: Day(c.settled),
            observed_ms: c.observed_ms,
            meaning: Digest(c.meaning),
            text: c.text,
        })
    });
    let coverage = coverage.collect::<Result<_, LedgerError>>()?;
    Ok(Manifest { sources: sources.collect::<Result<_, _>>()?, coverage })
}

#[cfg(test)]
mod tests {
    use super::super::V1;
    use super::*;

    #[test]
    fn a_fetched_manifest_comes_back_and_a_plain_one_stays_version_1() {
        let source = ManifestSource {
            digest: Digest([7; 32]),
            kind: SourceKind::Http,
            name: "/v2/aggs/ticker/BRKpA/range/1/day/2024-01-01/2024-01-31?limit=50000".into(),
            media_type: "application/json".into(),
            size: 12,
            observed_ms: 1,
            series: Series::Spot,
            symbol: Some(Symbol::exact("BRKpA").unwrap()),
            http: None,
        };
        let mut manifest = Manifest { sources: vec![source], coverage: Vec::new() };
        let bytes = encode_manifest(&manifest).unwrap();
        assert_eq!(bytes.get(1), Some(&V1));
        assert_eq!(decode_manifest(&bytes).unwrap(), manifest);
        if let Some(source) = manifest.sources.first_mut() {
            let headers = vec![("x-request-id".into(), "a".into())];
            source.http = Some(Http { status: 200, attempts: 2, headers, ..Http::default() });
        }
        for fact in Fact::ALL {
            manifest.coverage.push(Coverage {
                series: Series::Bars,
                symbol: None,
                scope: "1minute".into(),
                from: Day(1),
                to: Day(2),
                fact,
                settled: Day(1),
                observed_ms: 5,
                meaning: Digest([1; 32]),
                text: "why".into(),
            });
        }
        let bytes = encode_manifest(&manifest).unwrap();
        assert_eq!(bytes.get(1), Some(&V2));
        assert_eq!(decode_manifest(&bytes).unwrap(), manifest);
        for cut in 0..bytes.len() {
            assert!(decode_manifest(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
