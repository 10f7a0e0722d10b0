//! `menu`: numbers instead of flags. Each entry shows the command that it runs, so the menu teaches
//! the command line.
//!
//! It asks line by line and draws nothing, so it works over ssh and on a terminal that can do little.

mod entries;

use super::tour::typed;
use crate::cli::args::Cli;
use crate::cli::commands;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::BatchState;
use clap::{Args, Parser, ValueEnum};
use entries::{ALL, ELSEWHERE, Entry, REVIEW};

const EXAMPLES: &str = "\
EXAMPLES
  volledger menu                 numbered, with the command that each entry runs
  volledger menu --lang nl       met Nederlandse titels

A number runs an entry, letters show the entries that have them, an empty line shows all again, and
0 leaves. Nothing is decided without being asked.";

/// A menu of numbers for those who never liked flags
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct MenuArgs {
    /// The language of the titles
    #[arg(long, value_enum, default_value = "en", value_name = "LANGUAGE")]
    lang: Language,
}

/// A language of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// English
    En,
    /// Nederlands
    Nl,
}

impl Language {
    fn of(self, texts: [&'static str; 2]) -> &'static str {
        let [english, dutch] = texts;
        match self {
            Self::En => english,
            Self::Nl => dutch,
        }
    }
}

const HEADING: [&str; 2] = ["DATA & MARKET DATA", "DATA & MARKTDATA"];
const LEAVE: [&str; 2] = ["Leave", "Terug"];
const PROMPT: [&str; 2] = ["number, or letters to search ›", "nummer, of letters om te zoeken ›"];
const AGAIN: [&str; 2] = [
    "number, letters to search, empty line: the menu ›",
    "nummer, letters om te zoeken, lege regel: het menu ›",
];
const NOTHING: [&str; 2] = ["No entry has that.", "Geen keuze heeft dat."];
const NEEDED: [&str; 2] =
    ["Nothing was given; nothing was done.", "Niets opgegeven; niets gedaan."];
const DECIDE: [&str; 2] = [
    "Confirm {batch}? [y]es  [n]o, keep staged  discard [x]  (n) ›",
    "{batch} bevestigen? [j]a  [n]ee, laten staan  weggooien [x]  (n) ›",
];

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &MenuArgs) -> Outcome<Exit> {
    if !ui.for_people() {
        return Err(Failure::usage("a menu is for people", "leave out `-o` and `--json`"));
    }
    let lang = args.lang;
    let mut shown: Option<Vec<&Entry>> = Some(ALL.iter().collect());
    let mut whole = true;
    loop {
        let open = open(ctx);
        let place = place(ctx, lang, &open);
        ui.tell("")?;
        // An answer stays on the screen: the entries are shown again when somebody asks for them.
        let prompt = match shown.take() {
            Some(entries) => {
                list(ui, lang, &entries, &place, whole)?;
                PROMPT
            }
            None => {
                ui.tell(&place)?;
                AGAIN
            }
        };
        let Some(line) = ui.ask(lang.of(prompt)) else {
            return Ok(Exit::Done);
        };
        let word = line.trim().trim_start_matches('/').to_lowercase();
        match word.parse::<u8>() {
            Ok(0) => return Ok(Exit::Done),
            Ok(number) => match ALL.iter().find(|entry| entry.number == number) {
                Some(entry) => choose(ui, ctx, lang, entry, &open)?,
                None => ui.say(lang.of(NOTHING)),
            },
            Err(_) if matches!(word.as_str(), "q" | "exit" | "quit") => return Ok(Exit::Done),
            Err(_) => {
                whole = word.is_empty();
                shown = Some(found(&word, lang)).filter(|found| !found.is_empty());
                if shown.is_none() {
                    ui.say(lang.of(NOTHING));
                }
            }
        }
    }
}

/// The entries whose title or command has these letters.
fn found(word: &str, lang: Language) -> Vec<&'static Entry> {
    let has = |entry: &&Entry| {
        let title = lang.of(entry.title).to_lowercase();
        title.contains(word) || entry.words.join(" ").contains(word)
    };
    ALL.iter().filter(has).collect()
}

/// The batches that wait for a decision, and the position; `None` without a ledger.
fn open(ctx: &Context) -> Option<(u64, Vec<String>)> {
    let opened = ctx.opened().ok()?;
    let batches = opened.ledger.batches().iter();
    let staged = batches.filter(|(_, batch)| batch.state() == BatchState::Staged);
    let staged = staged.map(|(id, _)| id.to_string()).collect();
    Some((opened.ledger.position().0, staged))
}

/// Which ledger it is, where it stands, and how many batches wait.
fn place(ctx: &Context, lang: Language, open: &Option<(u64, Vec<String>)>) -> String {
    let place = ctx.directory().map(|place| place.display().to_string()).ok();
    let (Some(place), Some((position, staged))) = (place, open) else {
        return "volledger init".to_owned();
    };
    let waiting = match lang {
        Language::En => format!("{} open", staged.len()),
        Language::Nl => format!("{} te beoordelen", staged.len()),
    };
    format!("{place} · #{position} · {waiting}")
}

fn list(ui: &mut Ui, lang: Language, shown: &[&Entry], place: &str, whole: bool) -> Outcome<()> {
    ui.tell(&format!("{}   {place}", lang.of(HEADING)))?;
    for row in rows(lang, shown, ui.screen()) {
        ui.tell(&row)?;
    }
    ui.tell(&format!("   0  {}", lang.of(LEAVE)))?;
    if whole {
        ui.tell(&format!("      {}", lang.of(ELSEWHERE)))?;
    }
    Ok(())
}

/// The entries as they fit a screen of so many columns and lines: with their commands, else in two
/// columns, else below each other.
fn rows(lang: Language, shown: &[&Entry], screen: Option<(u16, u16)>) -> Vec<String> {
    const AROUND: usize = 5; // a blank line, the heading, 0, what is not here, the prompt
    let long = |text: &str| text.chars().count();
    let wide = ALL.iter().map(|entry| long(lang.of(entry.title))).max().unwrap_or(0);
    let titles = |entry: &&Entry| format!(" {:>3}  {}", entry.number, lang.of(entry.title));
    let titles: Vec<String> = shown.iter().map(titles).collect();
    let whole = titles.iter().zip(shown).map(|(title, entry)| {
        format!("{title:column$}   volledger {}", typed_entry(entry), column = wide + 6)
    });
    let whole: Vec<String> = whole.collect();
    let Some((width, height)) = screen else { return whole };
    let (width, height) = (usize::from(width).max(1), usize::from(height));
    let lines: usize = whole.iter().map(|row| long(row).div_ceil(width)).sum();
    if lines + AROUND <= height {
        return whole;
    }
    let close = |entry: &&Entry| format!("{:>3} {}", entry.number, lang.of(entry.title));
    let (left, right) = shown.split_at(shown.len().div_ceil(2));
    let (left, right): (Vec<String>, Vec<String>) =
        (left.iter().map(close).collect(), right.iter().map(close).collect());
    let column = left.iter().map(|title| long(title)).max().unwrap_or(0);
    let right = right.iter().map(String::as_str).chain(std::iter::repeat(""));
    let both = left.iter().zip(right).map(|(left, right)| format!("{left:column$} {right}"));
    let both: Vec<String> = both.map(|row| row.trim_end().to_owned()).collect();
    if both.iter().all(|row| long(row) <= width) { both } else { titles }
}

/// An entry's command, with what is asked for in capitals.
fn typed_entry(entry: &Entry) -> String {
    let word = |word: &&str| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
        Some(name) => name.to_uppercase(),
        None => (*word).to_owned(),
    };
    entry.words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Asks for what an entry needs and runs its command.
fn choose(
    ui: &mut Ui,
    ctx: &Context,
    lang: Language,
    entry: &Entry,
    open: &Option<(u64, Vec<String>)>,
) -> Outcome<()> {
    let mut words: Vec<String> = entry.words.iter().map(|word| (*word).to_owned()).collect();
    for asked in entry.asked {
        let first = open.as_ref().and_then(|(_, staged)| staged.first().cloned());
        let usual = match asked.usual {
            "{open}" => first.unwrap_or_default(),
            usual => usual.to_owned(),
        };
        let told = if usual.is_empty() { String::new() } else { format!(" ({usual})") };
        let Some(line) = ui.ask(&format!("  {}{told} ›", lang.of(asked.question))) else {
            return Ok(());
        };
        // A path that was dragged into a terminal often comes with quotes around it.
        let given = line.trim().trim_matches(['"', '\'']).to_owned();
        let given = if given.is_empty() { usual } else { given };
        if given.is_empty() {
            ui.say(lang.of(NEEDED));
            return Ok(());
        }
        for word in words.iter_mut().filter(|word| *word == asked.place) {
            word.clone_from(&given);
        }
    }
    let done = command(ui, ctx, &words)?;
    if let (REVIEW, true, Some(batch)) = (entry.number, done, words.last()) {
        decide(ui, ctx, lang, batch, open)?;
    }
    Ok(())
}

/// After a review: confirm, keep or discard.
fn decide(
    ui: &mut Ui,
    ctx: &Context,
    lang: Language,
    batch: &str,
    open: &Option<(u64, Vec<String>)>,
) -> Outcome<()> {
    let name = |of: &str| of.trim_start_matches(['b', 'B']).to_owned();
    let staged = open.as_ref().is_some_and(|(_, all)| all.iter().any(|of| name(of) == name(batch)));
    if !staged {
        return Ok(());
    }
    let Some(line) = ui.ask(&lang.of(DECIDE).replace("{batch}", batch)) else {
        return Ok(());
    };
    let act = match line.trim().to_lowercase().as_str() {
        "y" | "yes" | "j" | "ja" => "confirm",
        "x" | "discard" => "discard",
        _ => return Ok(()),
    };
    let words = ["batch", act, batch].map(str::to_owned);
    command(ui, ctx, &words).map(|_| ())
}

/// Runs a command as if it were typed; whether it ended well. What goes wrong is told, and the menu
/// goes on.
fn command(ui: &mut Ui, ctx: &Context, words: &[String]) -> Outcome<bool> {
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    ui.tell(&format!("\n$ volledger {}", typed(&plain)))?;
    let all = ["volledger"].into_iter().chain(plain);
    let parsed = match Cli::try_parse_from(all) {
        Ok(cli) => cli,
        Err(error) => {
            ui.say(error.to_string().trim_end());
            return Ok(false);
        }
    };
    match commands::run(ui, ctx, &parsed.command) {
        Ok(exit) => Ok(exit == Exit::Done),
        Err(Failure::Told(told)) => {
            ui.failure(&told);
            Ok(false)
        }
        Err(closed) => Err(closed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_can_be_typed_and_is_asked_for_all_it_needs() {
        let mut numbers = Vec::new();
        for entry in ALL {
            numbers.push(entry.number);
            let words = entry.words.iter().map(|word| match *word {
                "{file}" => "f.csv",
                "{symbol}" => "AAPL",
                "{date}" => "2024-01-02",
                "{series}" => "iv",
                "{what}" => "spot",
                "{batch}" => "b1",
                "{reason}" => "restated by the vendor",
                word => word,
            });
            let all = std::iter::once("volledger").chain(words);
            assert!(Cli::try_parse_from(all).is_ok(), "{entry:?}");
            let asked: Vec<&str> = entry.asked.iter().map(|asked| asked.place).collect();
            let wanted: Vec<&str> =
                entry.words.iter().copied().filter(|word| word.starts_with('{')).collect();
            assert_eq!(asked.len(), wanted.len(), "{entry:?}");
            assert!(wanted.iter().all(|word| asked.contains(word)), "{entry:?}");
            assert_ne!(entry.title[0], "");
        }
        assert_eq!(numbers, (1..=ALL.len() as u8).collect::<Vec<_>>());
    }

    #[test]
    fn the_entries_fit_the_screen_that_is_there() {
        let all: Vec<&Entry> = ALL.iter().collect();
        for lang in [Language::En, Language::Nl] {
            let plain = rows(lang, &all, None);
            assert!(plain.len() == all.len() && plain.iter().all(|row| row.contains("volledger ")));
            assert_eq!(rows(lang, &all, Some((120, 50))), plain);
            for (width, height, most) in [(80, 24, 19), (100, 24, 19), (40, 24, all.len())] {
                let rows = rows(lang, &all, Some((width, height)));
                assert!(rows.len() <= most, "{rows:?}");
                let fit = rows.iter().all(|row| row.chars().count() <= width.into());
                assert!(fit || width < 80, "{rows:?}");
                for entry in ALL {
                    let (number, title) = (format!("{:>3} ", entry.number), lang.of(entry.title));
                    let has = |row: &String| row.contains(&number) && row.contains(title);
                    assert!(rows.iter().any(has), "{title}: {rows:?}");
                }
            }
            let few = found("backfill", lang);
            assert_eq!(rows(lang, &few, Some((80, 24))), rows(lang, &few, None));
        }
    }

    #[test]
    fn letters_find_titles_and_commands() {
        let numbers = |word, lang| found(word, lang).iter().map(|e| e.number).collect::<Vec<_>>();
        assert_eq!(numbers("backfill", Language::En), [1, 5]);
        assert_eq!(numbers("besluit", Language::Nl), [8, 19]);
        assert_eq!(numbers("rollback", Language::Nl), [18]);
        assert!(numbers("zzz", Language::En).is_empty());
        assert_eq!(found("", Language::En).len(), ALL.len());
    }
}
