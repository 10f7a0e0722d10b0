//! Words as a shell takes them, so that a command in a hint can be copied.

/// A word, in quotes where a shell would take it for something else.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:@%+=".contains(c);
    match word.is_empty() || !word.chars().all(plain) {
        true => format!("'{}'", word.replace('\'', "'\\''")),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (word, want) in [
            ("AAPL.csv", "AAPL.csv"),
            ("my files/a.csv", "'my files/a.csv'"),
            ("it's", "'it'\\''s'"),
            ("#12", "'#12'"),
            ("$SPX", "'$SPX'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), want);
        }
    }
}
