//! The languages of the pages. English stands in the pages; every other language is a table from it.
//!
//! The language of a request stands with its task while it is answered, as a locale does: so the
//! functions that write pages need not hand it down to each other. The sentences of the ledger and of its
//! reports (reasons, findings, those of pictures) stay as they are, and the domain's terms do; the words
//! that reports choose from (states, kinds, severities) are translated as a page's own.

mod dutch;

use crate::render::numbers::count;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

tokio::task_local! {
    static SPOKEN: Lang;
}

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Nederlands.
    Nl,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Nl];

    /// Its code in addresses and HTML.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Nl => "nl",
        }
    }

    /// Its name in itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Nl => "Nederlands",
        }
    }

    /// The language of a code.
    pub(super) fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// Does something in this language.
    pub(super) fn speak<T>(self, work: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, work)
    }

    /// Awaits something in this language.
    pub(super) async fn spoken<F: Future>(self, work: F) -> F::Output {
        SPOKEN.scope(self, work).await
    }
}

/// The language that is spoken now.
pub(super) fn now() -> Lang {
    SPOKEN.try_with(|lang| *lang).unwrap_or_default()
}

static DUTCH: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| dutch::SENTENCES.iter().chain(dutch::SMALL).copied().collect());

/// The language of what reports say, where that is not the one that is spoken.
pub(super) fn foreign() -> Option<&'static str> {
    (now() != Lang::En).then_some(Lang::En.code())
}

/// A text of a page in the language that is spoken.
pub(super) fn t(text: &'static str) -> &'static str {
    find(text)
}

/// A text in the language that is spoken; one that has no translation stays as it is.
pub(super) fn find(text: &str) -> &str {
    match now() {
        Lang::En => text,
        Lang::Nl => DUTCH.get(text).copied().unwrap_or(text),
    }
}

/// A heading of a table, with the sign of a column of numbers before it.
pub(super) fn heading(text: &str) -> &str {
    find(text.trim_start_matches('>'))
}

/// Some HTML of this program's with its words: each stands between these signs.
pub(super) fn within(html: &str) -> Cow<'_, str> {
    if now() == Lang::En {
        return Cow::Borrowed(html);
    }
    let mut out = html.to_owned();
    for (english, dutch) in dutch::CONTROLS {
        out = out.replace(english, dutch);
    }
    Cow::Owned(out)
}

/// A number with its noun.
pub(super) fn counted(number: u64, noun: &'static str) -> String {
    if now() == Lang::En {
        return crate::render::numbers::counted(number, noun);
    }
    let nouns = dutch::NOUNS.iter().find(|(english, ..)| *english == noun);
    let (one, many) = nouns.map_or((noun, noun), |(_, one, many)| (*one, *many));
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchState;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, found),
                false => found.push(path),
            }
        }
    }

    /// The texts that pages hand to a function, as the compiler reads them.
    fn handed(function: &str) -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        for source in pages() {
            for part in source.split(function).skip(1) {
                let part = part.trim_start();
                let Some(rest) = part.strip_prefix('"') else { continue };
                let mut text = String::new();
                let mut signs = rest.chars().peekable();
                while let Some(sign) = signs.next().filter(|sign| *sign != '"') {
                    match sign {
                        '\\' => match signs.next() {
                            Some('\n') => while signs.next_if(|c| c.is_whitespace()).is_some() {},
                            Some(other) => text.push(other),
                            None => {}
                        },
                        sign => text.push(sign),
                    }
                }
                texts.insert(text);
            }
        }
        texts
    }

    /// The sources of the pages.
    fn pages() -> impl Iterator<Item = String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve");
        let mut files = Vec::new();
        sources(&folder, &mut files);
        // This file's own words are those of its tests.
        let files = files.into_iter().filter(|file| !file.ends_with("words.rs"));
        files.map(|file| std::fs::read_to_string(file).unwrap())
    }

    /// The first text in each call of a function, on whatever place.
    fn handed_behind(function: &str) -> BTreeSet<String> {
        let texts = pages().flat_map(|source| {
            let calls = source.split(function).skip(1).map(str::to_owned).collect::<Vec<_>>();
            calls.into_iter().filter_map(|call| call.split('"').nth(1).map(str::to_owned))
        });
        texts.collect()
    }

    #[test]
    fn every_text_has_its_dutch_and_no_dutch_is_left_over() {
        let mut used: BTreeSet<String> = BTreeSet::new();
        for function in [
            "(t(",
            "(table(",
            "pages::table(",
            "Page::new(",
            "let text = t(",
            "say(",
            "let hint = ",
        ] {
            used.extend(handed(function));
        }
        assert!(used.len() > 200, "{}", used.len());
        let missing: Vec<_> =
            used.iter().filter(|text| !DUTCH.contains_key(text.as_str())).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        let all = || dutch::SENTENCES.iter().chain(dutch::SMALL);
        assert_eq!(all().count(), DUTCH.len(), "a text twice");
        for (english, dutch) in all() {
            let edge = |text: &str| (text.starts_with(' '), text.ends_with(' '));
            assert_eq!(edge(english), edge(dutch), "{english:?}");
        }
    }

    /// They are not handed to a function that translates them, so nothing above finds them.
    #[test]
    fn nouns_the_words_of_reports_and_what_fields_hint_at_have_their_dutch() {
        let nouns: BTreeSet<String> = handed_behind("counted(");
        let known = |noun: &String| dutch::NOUNS.iter().any(|(english, ..)| english == noun);
        let missing: Vec<_> = nouns.iter().filter(|noun| !known(noun)).collect();
        assert!(nouns.len() > 8 && missing.is_empty(), "{missing:?}");
        let states = BatchState::ALL.map(BatchState::name);
        let kinds = ["new", "changed", "drifted", "added", "removed"];
        let severities = ["info", "warning", "reject", "fatal"];
        let projections =
            ["view", "built-in", "current", "stale", "empty", "broken", "dropped", "on-demand"];
        let acts = ["stage", "commit", "discard", "rollback", "reinstate", "supersede", "erase"];
        let words = [&states[..], &kinds, &severities, &projections, &acts].concat();
        let missing: Vec<_> = words.iter().filter(|word| !DUTCH.contains_key(**word)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        // A text that is written or put together on the spot has none.
        let bare = handed("placeholder=");
        let bare = bare.iter().filter(|text| text.contains(|c: char| c.is_lowercase()));
        assert_eq!(bare.collect::<Vec<_>>(), [""; 0]);
        assert!(
            !pages().any(|source| source.contains("prose(&format!")),
            "its words have no Dutch"
        );
    }

    #[test]
    fn a_language_is_spoken_where_it_is_told_to() {
        assert_eq!((now(), t("Home"), Lang::of("nl")), (Lang::En, "Home", Some(Lang::Nl)));
        assert_eq!((Lang::of("xx"), Lang::of("")), (None, None));
        Lang::Nl.speak(|| {
            assert_eq!((t("Search"), find("no such text")), ("Zoeken", "no such text"));
            assert_eq!(
                (counted(1, "row"), counted(1_200, "row")),
                ("1 rij".into(), "1,200 rijen".into())
            );
            assert!(within("<b aria-label=\"Zoom in\">+</b>").contains("Inzoomen"));
        });
        assert_eq!(counted(2, "row"), "2 rows");
    }
}
