//! The only place that prints. Standard output carries the answer, standard error the
//! conversation; colour repeats what the signs say.

use super::args::Color;
use super::error::{Outcome, Told};
use super::pager;
use super::prompt;
use crate::app::spool::Spool;
use crate::config::Settings;
use crate::render::{Document, Form, Look, ViewText, ascii, ink, json};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io::{self, IsTerminal, Write};

/// What the flags say about the conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) form: Form,
    pub(super) colour: Color,
    pub(super) quiet: bool,
    pub(super) no_input: bool,
}

/// What a pipe takes at once, also where nobody reads it yet.
const AT_ONCE: u64 = 4096;

/// What is told when the ledger is let go.
enum Later {
    /// A text for the pager.
    Page(Spool),
    /// A part of the answer.
    Answer(Spool),
    /// A part of the conversation.
    Said(String),
}

/// The two streams to a person or a program.
///
/// Nobody waits for a ledger because somebody reads: what a pager shows, and what a slow reader may take
/// long over, waits until the command has let its ledger go, and so does whatever is told after it.
pub(super) struct Ui {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    manner: Manner,
    look: Look,
    height: Option<u16>,
    paint_out: bool,
    paint_err: bool,
    pager: Option<String>,
    ask: bool,
    later: Vec<Later>,
}

impl Ui {
    pub(super) fn new(settings: &Settings, manner: Manner) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let paints = |terminal: ColorChoice| match manner.colour {
            Color::Auto => terminal != ColorChoice::Never,
            Color::Never => false,
            Color::Always => true,
        };
        let paint_out = paints(AutoStream::choice(&stdout));
        let paint_err = paints(AutoStream::choice(&stderr));
        let screen = stdout.is_terminal().then(|| terminal_size::terminal_size_of(&stdout));
        let screen = screen.map(|size| size.map_or((80, 24), |(w, h)| (w.0, h.0)));
        let ask = prompt::may_ask(&prompt::Circumstances {
            stdin: io::stdin().is_terminal(),
            stderr: stderr.is_terminal(),
            no_input: manner.no_input,
            ci: settings.ci,
            table: manner.form == Form::Table,
        });
        Self {
            out: Box::new(stdout),
            err: Box::new(stderr),
            manner,
            look: Look {
                width: screen.map(|(width, _)| settings.columns.unwrap_or(width)),
                unicode: settings.unicode,
            },
            height: screen.map(|(_, height)| height),
            paint_out,
            paint_err,
            pager: pager::choose(settings),
            ask,
            later: Vec::new(),
        }
    }

    /// For a demonstration: everything goes to standard output, nobody is asked, no pages.
    pub(super) fn on_stage(settings: &Settings, manner: Manner) -> Self {
        let mut ui = Self::new(settings, Manner { form: Form::Table, ..manner });
        ui.err = Box::new(io::stdout());
        ui.paint_err = ui.paint_out;
        ui.ask = false;
        ui.pager = None;
        ui
    }

    pub(super) fn manner(&self) -> Manner {
        self.manner
    }

    /// Whether the answer is for a person.
    pub(super) fn for_people(&self) -> bool {
        self.manner.form == Form::Table
    }

    /// Whether a person is there to answer.
    pub(super) fn may_ask(&self) -> bool {
        self.ask
    }

    /// How many columns and lines a terminal has.
    pub(super) fn screen(&self) -> Option<(u16, u16)> {
        Some((self.look.width?, self.height?))
    }

    /// The answer, as it is.
    pub(super) fn answer(&mut self, text: impl Into<String>) -> Outcome<()> {
        self.spooled(text.into().into())
    }

    /// An answer of any length, as it is.
    pub(super) fn spooled(&mut self, mut text: Spool) -> Outcome<()> {
        if text.written() > AT_ONCE || !self.later.is_empty() {
            self.later.push(Later::Answer(text));
            return Ok(());
        }
        self.write(&mut text)
    }

    fn write(&mut self, text: &mut Spool) -> Outcome<()> {
        text.tell(&mut self.out)?;
        Ok(self.out.flush()?)
    }

    /// Tells what waits for it that the ledger is let go. Whoever calls it has none open.
    pub(super) fn let_go(&mut self) -> Outcome<()> {
        for told in std::mem::take(&mut self.later) {
            match told {
                Later::Page(mut text) => {
                    let pager = self.pager.as_ref();
                    if !pager.is_some_and(|pager| pager::show(pager, &mut text)) {
                        self.write(&mut text)?;
                    }
                }
                Later::Answer(mut text) => self.write(&mut text)?,
                Later::Said(text) => self.say_as_it_is(text),
            }
        }
        Ok(())
    }

    /// A report, in the form that was asked for.
    pub(super) fn show(&mut self, document: &dyn Document) -> Outcome<()> {
        let text = self.text_of(document);
        self.answer(text)
    }

    /// A report that may be long: at a terminal it goes through the pager.
    pub(super) fn page(&mut self, document: &dyn Document) -> Outcome<()> {
        self.paged(self.text_of(document).into())
    }

    /// The same of an answer of any length.
    pub(super) fn paged(&mut self, text: Spool) -> Outcome<()> {
        if let (Form::Table, Some(_), Some(height)) = (self.manner.form, &self.pager, self.height)
            && text.lines() >= usize::from(height)
        {
            self.later.push(Later::Page(text));
            return Ok(());
        }
        self.spooled(text)
    }

    /// Views in the form that was asked for, symbol by symbol.
    pub(super) fn view(&self, all_columns: bool) -> ViewText<'static> {
        let (look, paint) = (self.look, self.paint_out);
        ViewText::new(self.manner.form, &look, all_columns, move |text| fit(&look, text, paint))
    }

    /// A sentence for people as part of the answer; nothing in the other forms.
    pub(super) fn tell(&mut self, text: &str) -> Outcome<()> {
        if !self.for_people() {
            return Ok(());
        }
        let text = self.fit(text, self.paint_out) + "\n";
        self.answer(text)
    }

    fn text_of(&self, document: &dyn Document) -> String {
        let form = self.manner.form;
        if form == Form::Table
            && self.paint_out
            && let Some(text) = document.inked(&self.look)
        {
            return coloured(&self.fit(&text, false));
        }
        let text = document.render(form, &self.look);
        match form {
            Form::Table => self.fit(&text, self.paint_out),
            _ => text,
        }
    }

    fn fit(&self, text: &str, paint: bool) -> String {
        fit(&self.look, text, paint)
    }

    /// Why a command ends with its exit code: whoever wants no conversation is told of that all the same.
    pub(super) fn reason(&mut self, text: &str) {
        self.always(text);
    }

    /// A sentence of the conversation. Whoever does not hear it misses nothing of the answer.
    pub(super) fn say(&mut self, text: &str) {
        if !self.manner.quiet {
            self.always(text);
        }
    }

    /// What to do next.
    pub(super) fn hint(&mut self, text: &str) {
        if !self.manner.quiet {
            self.labelled("Hint", Style::new().dimmed(), text);
        }
    }

    /// Something odd that does not stop the command.
    pub(super) fn note(&mut self, text: &str) {
        self.labelled("Note", AnsiColor::Yellow.on_default(), text);
    }

    /// Why the command failed.
    pub(super) fn failure(&mut self, told: &Told) {
        let _ = self.let_go(); // the command is over
        if self.manner.form == Form::Json {
            let error = told.error.replace('\n', "; ");
            let text = json::error(&error, &told.causes, told.hint.as_deref(), told.exit.code());
            // The exit code tells it too, should standard output be closed.
            let _ = self.write(&mut (text + "\n").into());
        }
        let error = told.error.replace('\n', "\n       "); // below the first, behind the label
        self.labelled("Error", AnsiColor::Red.on_default().bold(), &error);
        for cause in &told.causes {
            self.labelled("Caused by", Style::new(), cause);
        }
        if let Some(hint) = &told.hint {
            self.labelled("Hint", Style::new().dimmed(), hint);
        }
    }

    /// Asks on standard error and reads a line; `None` when there is no more input. Whoever asks has no
    /// ledger open: a person thinks.
    pub(super) fn ask(&mut self, question: &str) -> Option<String> {
        // Who does not hear the answer is asked all the same.
        let _ = self.let_go();
        let text = self.fit(question, false) + " ";
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => {
                self.always("");
                None
            }
            Ok(_) => Some(line),
        }
    }

    fn labelled(&mut self, label: &str, style: Style, text: &str) {
        let text = self.fit(text, false);
        let line = if self.paint_err {
            format!("{style}{label}:{style:#} {text}\n")
        } else {
            format!("{label}: {text}\n")
        };
        self.say_as_it_is(line);
    }

    fn always(&mut self, text: &str) {
        let text = self.fit(text, self.paint_err && text.starts_with(' ')) + "\n";
        self.say_as_it_is(text);
    }

    fn say_as_it_is(&mut self, text: String) {
        if !self.later.is_empty() {
            return self.later.push(Later::Said(text));
        }
        let _ = self.err.write_all(text.as_bytes());
    }
}

/// What comes from files must not steer the terminal: no control characters but line ends.
fn fit(look: &Look, text: &str, paint: bool) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    let mut text = text.to_owned();
    if text.contains(steers) {
        text = text.replace(steers, "?");
    }
    if !look.unicode {
        text = ascii(&text);
    }
    if paint { painted(&text) } else { text }
}

/// The colours of a page's ink, told apart on a light and on a dark ground.
const INKS: [AnsiColor; ink::INKS] = [
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::Red,
];

/// Turns the ink of a page into colours; its first line is a heading.
fn coloured(text: &str) -> String {
    let (heading, rest) = text.split_once('\n').unwrap_or((text, ""));
    let bold = Style::new().bold();
    let mut out = format!("{bold}{heading}{bold:#}\n");
    let mut open = Style::new();
    for c in rest.chars() {
        match ink::mark(c) {
            Some(ink::Mark::Colour(number)) => {
                open = INKS.get(number).map_or(Style::new(), |colour| colour.on_default());
                out += &format!("{open}");
            }
            Some(ink::Mark::End) => out += &format!("{open:#}"),
            None => out.push(c),
        }
    }
    out
}

/// Colours lines by their sign.
fn painted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches('\n');
        match style_of(body) {
            Some(style) => {
                out.push_str(&format!("{style}{body}{style:#}"));
                out.push_str(line.get(body.len()..).unwrap_or_default());
            }
            None => out.push_str(line),
        }
    }
    out
}

fn style_of(line: &str) -> Option<Style> {
    if let Some(rest) = line.strip_prefix("  ") {
        let mut chars = rest.chars();
        let (sign, next) = (chars.next()?, chars.next()?);
        if next != ' ' {
            return None;
        }
        return match sign {
            '+' => Some(AnsiColor::Green.on_default()),
            '~' => Some(AnsiColor::Yellow.on_default()),
            // Days that stay as they are are no loss.
            '-' if rest.contains("only here") => Some(Style::new().dimmed()),
            '-' => Some(AnsiColor::Red.on_default()),
            '!' => Some(AnsiColor::Yellow.on_default().bold()),
            '≈' | '.' | '·' | '*' => Some(Style::new().dimmed()),
            _ => None,
        };
    }
    let heading = !line.is_empty() && !line.starts_with(' ');
    (heading && !line.starts_with(['#', '$'])).then(|| Style::new().bold())
}

/// How wide the terminal is that help is read at.
pub(super) fn columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| width.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_becomes_colour_and_adds_no_text() {
        let text = "a\nb \u{E001}++\u{E00F} c\n";
        let painted = coloured(text);
        assert!(painted.contains("b \u{1b}[33m++\u{1b}[0m c\n"), "{painted:?}");
        let stripped = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(stripped, ink::clean(text));
    }

    #[test]
    fn colour_repeats_the_sign_and_adds_no_text() {
        let text = "  +  new  3\n  ~ changed\n  2024-01-01 +7\nHead\n";
        let painted = painted(text);
        assert!(painted.starts_with("\u{1b}[32m  +  new  3\u{1b}[0m\n"), "{painted:?}");
        let stripped = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(stripped, text);
    }
}
