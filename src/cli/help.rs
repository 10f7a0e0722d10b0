//! Help on a narrow terminal: examples stand beside their remarks for a hundred columns, and clap
//! would fold them in the middle of both.

use clap::Command;
use std::mem;

/// Columns of the widest help.
pub(super) const WIDEST: usize = 100;

/// What stands above examples.
const HEADING: &str = "EXAMPLES";

/// How far what was moved to a line of its own is set in.
const INDENT: &str = "      ";

/// A command whose help, with that of the commands in it, fits a page of some columns.
pub(super) fn within(command: Command, columns: usize) -> Command {
    let text = command.get_after_help().map(|text| folded(&text.to_string(), columns));
    let command = match text {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_subcommands(|inner| within(inner, columns))
}

/// Examples that can still be copied, each remark below its own where both have no room; of sentences
/// only the words, which clap folds.
fn folded(text: &str, columns: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut sentences: Vec<&str> = Vec::new();
    let (mut examples, mut moved) = (false, false);
    for line in text.lines().chain([""]) {
        let set_in = line.len() - line.trim_start().len();
        if set_in == 0 && !line.is_empty() {
            sentences.push(line);
            continue;
        }
        let fits = sentences.iter().all(|line| line.chars().count() <= columns);
        let parts = mem::take(&mut sentences);
        match fits {
            true => out.extend(parts.into_iter().map(str::to_owned)),
            false => out.push(parts.join(" ")),
        }
        if moved && set_in > 2 * INDENT.len() {
            // A remark's second line goes with it.
            out.extend(wrapped(line.trim_start(), columns));
            continue;
        }
        examples = !line.is_empty() && (examples || out.last().is_some_and(|last| last == HEADING));
        moved = examples && line.chars().count() > columns;
        match moved {
            true => out.extend(example(line, columns)),
            false => out.push(line.to_owned()),
        }
    }
    out.join("\n").trim_end().to_owned()
}

/// A line of an example: its command, continued as a shell reads it, and the remark below.
fn example(line: &str, columns: usize) -> Vec<String> {
    let (command, remark) = parts(line);
    let mut lines = Vec::new();
    let mut now = "  ".to_owned();
    for word in words(command) {
        let more = word.chars().count() + 1;
        if !now.trim().is_empty() && now.chars().count() + more + 2 > columns {
            lines.push(mem::replace(&mut now, INDENT.to_owned()) + " \\");
        }
        if !now.ends_with(' ') {
            now.push(' ');
        }
        now += word;
    }
    lines.push(now);
    lines.extend(wrapped(remark, columns));
    lines
}

/// What stands before two blanks that are in no quotes, and what after them.
fn parts(line: &str) -> (&str, &str) {
    let line = line.trim();
    let mut quote = None;
    for (at, sign) in line.char_indices() {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            (None, ' ') if line.get(at..).is_some_and(|rest| rest.starts_with("  ")) => {
                let (command, remark) = line.split_at(at);
                return (command, remark.trim_start());
            }
            _ => {}
        }
    }
    (line, "")
}

/// The words of a command; what is quoted is one, and so are a pipe and what it leads to.
fn words(command: &str) -> Vec<&str> {
    let (mut quote, mut before) = (None, ' ');
    let ends = move |sign: char| {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            _ => {}
        }
        let leads = matches!(mem::replace(&mut before, sign), '<' | '>' | '|');
        quote.is_none() && sign == ' ' && !leads
    };
    command.split(ends).collect()
}

/// Sentences in lines that are set in.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(format!("{INDENT}{word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn what_has_no_room_goes_below_and_can_still_be_copied() {
        let text = "\
EXAMPLES
  v a                 short
  v import x.csv -s 'A  B'     review it, then
                               answer
  v fetch --yes --limit 25 --other \"one  two\" > file.csv
  v b

One sentence of more words than there is room for
in a line.
A line.

  a list      with more of it than there is room for
";
        let want = "\
EXAMPLES
  v a                 short
  v import x.csv -s 'A  B'
      review it, then
      answer
  v fetch --yes --limit 25 \\
      --other \"one  two\" \\
      > file.csv
  v b

One sentence of more words than there is room for in a line. A line.

  a list      with more of it than there is room for";
        assert_eq!(folded(text, 30), want);
        assert_eq!(folded(text, 100), text.trim_end());
    }

    /// Clap folds what is left; then a line of an example would begin where sentences do.
    #[test]
    fn no_example_is_folded_by_clap() {
        fn look(command: &mut Command, columns: usize) {
            let text = command.render_long_help().to_string();
            let examples = text.split("EXAMPLES\n").nth(1).unwrap_or_default();
            for line in examples.lines().take_while(|line| !line.is_empty()) {
                let count = line.chars().count();
                let name = command.get_name();
                assert!(line.starts_with("  ") && count <= columns, "{name}: {line}");
            }
            command.get_subcommands_mut().for_each(|inner| look(inner, columns));
        }
        for columns in [80, WIDEST] {
            let mut command = within(Cli::command().term_width(columns), columns);
            command.build();
            look(&mut command, columns);
        }
    }
}
