//! Colours inside a line of text, as marks that the front end turns into its own or leaves out.
//!
//! A mark is a character of the private use area; text from files never colours anything, since
//! [`clean`] takes such characters out of it.

/// The first of the marks: colour number n is this plus n.
const FIRST: u32 = 0xE000;
/// Ends a colour.
const END: char = '\u{E00F}';
/// How many colours there are.
pub const INKS: usize = 6;

/// A text in a colour.
pub(super) fn ink(number: usize, text: &str) -> String {
    let start = char::from_u32(FIRST + (number % INKS) as u32).unwrap_or(END);
    format!("{start}{}{END}", clean(text))
}

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The text after it is in this colour.
    Colour(usize),
    /// The colour ends.
    End,
}

/// The mark that a character is.
pub fn mark(c: char) -> Option<Mark> {
    match c {
        END => Some(Mark::End),
        c => {
            let number = u32::from(c).checked_sub(FIRST).filter(|n| *n < INKS as u32)?;
            Some(Mark::Colour(number as usize))
        }
    }
}

/// A text without marks.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| mark(*c).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_out_again() {
        let text = ink(1, "a\u{E002}b") + &ink(7, "c");
        assert_eq!(clean(&text), "abc");
        let marks: Vec<_> = text.chars().filter_map(mark).collect();
        assert_eq!(marks, [Mark::Colour(1), Mark::End, Mark::Colour(1), Mark::End]);
    }
}
