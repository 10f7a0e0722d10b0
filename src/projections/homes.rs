//! Which views a row event belongs to: one CSV row may speak of implied and of realised
//! volatility, and each view keeps its own part of it.

use crate::domain::{Field, Rows, Series, Shape};

/// A shape split by view: for each view its fields, and which of the row's values they take.
pub type Split = Vec<(Series, Shape, Vec<usize>)>;

/// Splits the events of one set by view, remembering how each shape splits.
#[derive(Debug)]
pub struct Splitter<'a> {
    rows: &'a Rows,
    known: Vec<Option<(Series, Split)>>,
}

impl<'a> Splitter<'a> {
    /// A splitter for the events of `rows`.
    pub fn new(rows: &'a Rows) -> Self {
        Self { rows, known: vec![None; rows.shapes().len()] }
    }

    /// How the fields of a shape split, by its index in the pool.
    pub fn parts(&mut self, shape: u32, event: Series) -> &[(Series, Shape, Vec<usize>)] {
        let index = shape as usize;
        let (Some(shape), Some(slot)) = (self.rows.shapes().get(index), self.known.get_mut(index))
        else {
            return &[];
        };
        if slot.as_ref().is_none_or(|(series, _)| *series != event) {
            *slot = Some((event, split_shape(event, shape)));
        }
        slot.as_ref().map(|(_, split)| split.as_slice()).unwrap_or_default()
    }
}

fn split_shape(event: Series, shape: &Shape) -> Split {
    let mut split: Vec<(Series, Vec<Field>, Vec<usize>)> = Vec::new();
    let mut slot = 0;
    for field in shape.iter() {
        let home = field.home(event);
        let index = split.iter().position(|(view, ..)| *view == home).unwrap_or_else(|| {
            split.push((home, Vec::new(), Vec::new()));
            split.len() - 1
        });
        if let Some((_, fields, slots)) = split.get_mut(index) {
            fields.push(field.clone());
            if !field.is_mark() {
                slots.push(slot);
            }
        }
        slot += usize::from(!field.is_mark());
    }
    if split.is_empty() {
        // A retract of a whole key names no field: it is about the view of its series.
        split.push((event, Vec::new(), Vec::new()));
    }
    split.into_iter().map(|(view, fields, slots)| (view, fields.into(), slots)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::Place;
    use crate::domain::{Day, Op, Value};

    #[test]
    fn a_row_of_two_views_is_split_and_a_record_keeps_its_marks() {
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"A".parse().unwrap());
        let place = Place { seq: 0, source: 0, line: 0, offset: 0, len: 0 };
        let mixed = rows.intern_shape(&[Field::Known(10), Field::Known(40), Field::Known(12)]);
        let values = ["1", "2", "3"].map(Value::from_json_number);
        rows.push(place, Series::Iv, Op::Put, symbol, Day(1), mixed, values);
        let record = rows.intern_shape(&[Field::of(Series::Iv, "hv20"), Field::DateMark]);
        rows.push(place, Series::Iv, Op::Put, symbol, Day(2), record, [Value::Null]);
        let none = rows.intern_shape(&[]);
        rows.push(place, Series::Hv, Op::Retract, symbol, Day(3), none, []);
        let mut seen = Vec::new();
        let mut splitter = Splitter::new(&rows);
        for row in rows.iter() {
            for (view, shape, slots) in splitter.parts(row.head.shape, row.head.series) {
                let slots = if row.head.op == Op::Put { slots.as_slice() } else { &[] };
                let values: Vec<_> =
                    slots.iter().map(|slot| row.values.get(*slot).unwrap().to_string()).collect();
                seen.push(format!("{view} {} {}", shape.len(), values.join(",")));
            }
        }
        assert_eq!(seen, ["iv 2 1,3", "hv 1 2", "iv 2 null", "hv 0 "]);
    }
}
