//! Which bundled mapping reads what another one does not.

use super::{CellUnit, Column, Mapping};

impl Mapping {
    /// The bundled mapping that reads this one's column as fractions instead of percentages, or the other
    /// way round.
    pub(in crate::sources) fn in_other_unit(&self, column: &Column) -> Option<&'static str> {
        let other = match column.unit {
            CellUnit::Percent => CellUnit::Fraction,
            CellUnit::Fraction => CellUnit::Percent,
            _ => return None,
        };
        let reads = |id: &&str| {
            Self::bundled(id).is_some_and(|mapping| {
                let same = |of: &Column| {
                    (of.field, of.unit) == (column.field, other)
                        && of.names.iter().any(|name| column.names.contains(name))
                };
                mapping.series == self.series && mapping.columns.iter().any(same)
            })
        };
        Self::bundled_ids().find(reads)
    }

    /// The bundled mapping of the same series that reads most of some columns, by their names in normal
    /// spelling, which this one does not read.
    pub(in crate::sources) fn that_reads(&self, unread: &[String]) -> Option<&'static str> {
        // One's own leaves out what it leaves out.
        Self::bundled(&self.id)?;
        let others = Self::bundled_ids().filter_map(|id| Some((id, Self::bundled(id)?)));
        let others = others.filter(|(_, of)| of.series == self.series && of.id != self.id);
        let counted = others.map(|(id, of)| {
            let reads = |name: &&String| {
                of.columns.iter().any(|column| column.names.iter().any(|own| own.normal == **name))
            };
            (id, unread.iter().filter(reads).count())
        });
        let best = counted.fold((None, 0), |best, (id, count)| match count > best.1 {
            true => (Some(id), count),
            false => best,
        });
        best.0
    }
}
