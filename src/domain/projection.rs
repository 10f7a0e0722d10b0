//! Names and versions of projections, and which of them a ledger keeps: a fold of control entries.

use super::{Entry, EntryKind, Position};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Longest definition that an entry holds, in bytes.
pub const MAX_DEFINITION: usize = 16_000;

/// A version of a projection: `iv_metrics@1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionId {
    /// Its name: small letters, digits and `_`, beginning with a letter.
    pub name: Box<str>,
    /// Its version, from 1.
    pub version: u32,
}

impl ProjectionId {
    /// A version of a projection.
    ///
    /// # Errors
    /// A name that is none.
    pub fn new(name: &str, version: u32) -> Result<Self, WrongName> {
        let letters =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let starts = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        match letters && starts && name.len() <= 60 && version > 0 {
            true => Ok(Self { name: name.into(), version }),
            false => Err(WrongName(name.to_owned())),
        }
    }
}

impl fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// A projection as a user names it: `iv_metrics` (the promoted version) or `iv_metrics@1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionName {
    /// Its name.
    pub name: Box<str>,
    /// A version; the promoted one when absent.
    pub version: Option<u32>,
}

impl FromStr for ProjectionName {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        let (name, version) = match text.split_once('@') {
            None => (text, None),
            Some((name, version)) => {
                (name, Some(version.parse().map_err(|_| WrongName(text.to_owned()))?))
            }
        };
        let id = ProjectionId::new(name, version.unwrap_or(1))?;
        Ok(Self { name: id.name, version })
    }
}

impl fmt::Display for ProjectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A text that names no projection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no projection; names are small letters, digits and _, with a version as in iv_metrics@1"
)]
pub struct WrongName(pub String);

/// What an entry says of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionEntry {
    /// The version that it is about.
    pub id: ProjectionId,
    /// What happened.
    pub step: ProjectionStep,
}

/// What can happen to a version of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectionStep {
    /// It is kept from here on. The definition is the text of a query; none for a projection that
    /// the program brings.
    Added {
        /// The query.
        definition: Option<String>,
    },
    /// Its name alone means this version from here on.
    Promoted,
    /// It is not kept any more.
    Dropped,
}

impl ProjectionStep {
    /// The word used in JSON and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "projection-add",
            Self::Promoted => "projection-promote",
            Self::Dropped => "projection-drop",
        }
    }
}

/// A version that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The query; none for a projection that the program brings.
    pub definition: Option<String>,
    /// Where it was added (true) and dropped (false), ascending.
    steps: Vec<(Position, bool)>,
}

impl Added {
    /// Whether it is kept.
    pub fn is_kept(&self) -> bool {
        self.steps.last().is_some_and(|(_, kept)| *kept)
    }

    /// Whether it was not dropped by a position. It stands also before it was first added: an answer
    /// about those positions that was given once is given for ever.
    pub fn stands_at(&self, at: Position) -> bool {
        let then = self.steps.iter().rev().find(|(since, _)| *since <= at);
        then.is_none_or(|(_, kept)| *kept)
    }
}

/// The projections of a ledger.
#[derive(Clone, Debug, Default)]
pub struct ProjectionTable {
    size: u64,
    versions: BTreeMap<ProjectionId, Added>,
    /// Per name the promotions, ascending.
    promoted: BTreeMap<Box<str>, Vec<(Position, u32)>>,
}

impl ProjectionTable {
    /// Takes in the next entry of the log.
    pub fn apply(&mut self, entry: &Entry) {
        self.size += 1;
        let at = Position(self.size);
        let EntryKind::Projection(ProjectionEntry { id, step }) = &entry.kind else { return };
        match step {
            ProjectionStep::Added { definition } => {
                let fresh = || Added { definition: None, steps: Vec::new() };
                let added = self.versions.entry(id.clone()).or_insert_with(fresh);
                added.definition.clone_from(definition);
                added.steps.push((at, true));
                // A name that means nothing (any more) means this one.
                let promoted = self.promoted.entry(id.name.clone()).or_default();
                let of_last = |(_, version): &(Position, u32)| {
                    let last = ProjectionId { name: id.name.clone(), version: *version };
                    self.versions.get(&last).is_some_and(Added::is_kept)
                };
                if !promoted.last().is_some_and(of_last) {
                    promoted.push((at, id.version));
                }
            }
            ProjectionStep::Promoted => {
                self.promoted.entry(id.name.clone()).or_default().push((at, id.version));
            }
            ProjectionStep::Dropped => {
                if let Some(added) = self.versions.get_mut(id) {
                    added.steps.push((at, false));
                }
            }
        }
    }

    /// A version that was added once, kept or dropped.
    pub fn get(&self, id: &ProjectionId) -> Option<&Added> {
        self.versions.get(id)
    }

    /// Every version that was added once.
    pub fn iter(&self) -> impl Iterator<Item = (&ProjectionId, &Added)> {
        self.versions.iter()
    }

    /// The versions that are kept.
    pub fn kept(&self) -> impl Iterator<Item = (&ProjectionId, &Added)> {
        self.versions.iter().filter(|(_, added)| added.is_kept())
    }

    /// The versions of a name that were added once, ascending.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = (&ProjectionId, &Added)> {
        self.versions.iter().filter(move |(id, _)| *id.name == *name)
    }

    /// The version that was promoted last by a position, if it stood there.
    pub fn promoted(&self, name: &str, at: Position) -> Option<u32> {
        let promotions = self.promoted.get(name)?;
        let then = promotions.iter().rev().find(|(since, _)| *since <= at);
        then.and_then(|(_, version)| self.standing(name, *version, at))
    }

    /// The version of a name that was promoted first, if it stood at a position.
    pub fn first(&self, name: &str, at: Position) -> Option<u32> {
        let (_, version) = self.promoted.get(name)?.first()?;
        self.standing(name, *version, at)
    }

    fn standing(&self, name: &str, version: u32, at: Position) -> Option<u32> {
        let id = ProjectionId { name: name.into(), version };
        self.versions.get(&id).filter(|added| added.stands_at(at)).map(|_| version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(steps: &[(&str, u32, ProjectionStep)]) -> ProjectionTable {
        let mut table = ProjectionTable::default();
        for (name, version, step) in steps {
            let id = ProjectionId::new(name, *version).unwrap();
            let kind = EntryKind::Projection(ProjectionEntry { id, step: step.clone() });
            table.apply(&Entry { time_ms: 0, actor: "x".into(), tool: "x".into(), kind });
        }
        table
    }

    #[test]
    fn names_are_plain_words_with_an_optional_version() {
        assert_eq!("iv_metrics@2".parse::<ProjectionName>().unwrap().version, Some(2));
        assert_eq!("rich".parse::<ProjectionName>().unwrap().to_string(), "rich");
        for wrong in ["", "Rich", "1st", "a b", "a@", "a@0", "a@x", "a-b", "_a", &"a".repeat(61)] {
            assert!(wrong.parse::<ProjectionName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_means_what_was_promoted_at_the_position() {
        let added = || ProjectionStep::Added { definition: None };
        let table = table(&[
            ("rich", 1, added()),
            ("rich", 2, added()),
            ("rich", 2, ProjectionStep::Promoted),
            ("rich", 1, ProjectionStep::Dropped),
        ]);
        assert_eq!(table.promoted("rich", Position(2)), Some(1));
        assert_eq!(table.promoted("rich", Position(3)), Some(2));
        assert_eq!(
            (table.promoted("rich", Position(0)), table.first("rich", Position(0))),
            (None, Some(1))
        );
        assert_eq!(table.promoted("cheap", Position(9)), None);
        assert_eq!(table.kept().count(), 1);
        let first = table.get(&ProjectionId::new("rich", 1).unwrap()).unwrap();
        let stands = [0, 1, 3, 4].map(|at| first.stands_at(Position(at)));
        assert_eq!(stands, [true, true, true, false], "until it was dropped");
        assert_eq!(table.versions("rich").count(), 2);
    }

    #[test]
    fn a_name_whose_versions_are_all_dropped_means_the_next_one() {
        let added = || ProjectionStep::Added { definition: None };
        let table = table(&[
            ("rich", 1, added()),
            ("rich", 1, ProjectionStep::Dropped),
            ("rich", 2, added()),
            ("rich", 3, added()),
        ]);
        let promoted = [1, 2, 3, 4].map(|at| table.promoted("rich", Position(at)));
        assert_eq!(promoted, [Some(1), None, Some(2), Some(2)]);
    }
}
