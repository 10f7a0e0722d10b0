//! The Dutch of nouns that are counted, and of a chart's controls.

/// Nouns: in English, one, several.
pub(in crate::serve::words) const NOUNS: &[(&str, &str, &str)] = &[
    ("batch", "batch", "batches"),
    ("byte", "byte", "bytes"),
    ("day", "dag", "dagen"),
    ("event", "event", "events"),
    ("more erasure", "verdere verwijdering", "verdere verwijderingen"),
    ("move", "beweging", "bewegingen"),
    ("part", "deel", "delen"),
    ("past move", "eerdere beweging", "eerdere bewegingen"),
    ("row", "rij", "rijen"),
    ("source", "bron", "bronnen"),
    ("stock", "aandeel", "aandelen"),
    ("symbol", "symbool", "symbolen"),
    ("view", "view", "views"),
];

/// The controls of a chart.
pub(in crate::serve::words) const CONTROLS: &[(&str, &str)] = &[
    ("\"Zoom in\"", "\"Inzoomen\""),
    ("\"Zoom out\"", "\"Uitzoomen\""),
    ("\"Earlier\"", "\"Eerder\""),
    ("\"Later\"", "\"Later\""),
    (">All<", ">Alles<"),
    (
        "Wheel or + and −: zoom. Drag or Page Up and Down: move.",
        "Wiel of + en −: zoomen. Slepen of Page Up en Down: verschuiven.",
    ),
    (
        "← and →: the day, with Shift a month; Home and End: the first and the last.",
        "← en →: de dag, met Shift een maand; Home en End: de eerste en de laatste.",
    ),
    ("Double click, 0 or Esc: all of it.", "Dubbelklik, 0 of Esc: alles."),
];
