//! The rules of the house that the compiler does not know: which floor names which, where each
//! crate lives, how long a file is, and what lies in the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each floor may name besides itself. `lib.rs` and `main.rs` are free.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("quant", &["domain"]),
    ("ledger", &["domain"]),
    ("sources", &["domain"]),
    ("net", &["domain"]),
    ("projections", &["domain", "quant"]),
    ("app", &["domain", "quant", "ledger", "sources", "net", "projections"]),
    ("render", &["domain", "app"]),
    ("config", &["domain"]),
    ("cli", &["domain", "app", "render", "config", "serve"]), // `cli serve` starts `serve`
    ("serve", &["domain", "app", "render", "config"]),
];

/// Paths of the standard library and of crates without a home that may be named in one place only.
/// The homes of crates stand in Cargo.toml, beside each: see [`homes`].
const HOMES: &[(&str, &[&str])] =
    &[("std::env", &["config", "main"]), ("Utc::now", &["app/clock"])];

/// The only place that prints; everything else writes to what it is given.
const PRINTS: &str = "cli/ui";

/// Public names that nothing in the program uses, each with the reason why it stays.
///
/// The shared vectors say what these answer; no command asks it yet.
const UNUSED: &[(&str, &str)] = &[
    ("domain/eastern.rs: minutes_since_open", "vectors/sessions.csv"),
    ("domain/occ.rs: osi", "vectors/option_tickers.csv"),
    ("quant/earnings/expiration.rs: to_trade", "vectors_ivcrush/expirations.csv"),
    ("quant/earnings/liquidity.rs: passes_seed_filter", "vectors_ivcrush/liquidity.csv"),
    ("quant/expiry.rs: next_weekly", "vectors/expiries.csv"),
    ("quant/garch.rs: long_run", "vectors_platform/garch_expected.json"),
    ("quant/moving.rs: BANDS", "tomic/expected/iv_metrics.json"),
    ("quant/moving.rs: is_high", "tomic/expected/iv_metrics.json"),
    ("quant/moving.rs: is_compressed", "tomic/expected/iv_metrics.json"),
    ("quant/moving.rs: is_expanded", "tomic/expected/iv_metrics.json"),
    ("quant/rank.rs: ENTRY_LOOKBACK", "vectors_platform/iv_rank.json"),
    ("quant/rank.rs: ENTRY_MINIMUM", "vectors_platform/iv_rank.json"),
    ("quant/rank.rs: entry_rank", "vectors_platform/iv_rank.json"),
    ("quant/strikes.rs: target_strikes", "vectors/strikes.csv"),
    ("quant/tomic.rs: iv_standings", "tomic/expected/iv_metrics.json, whole files at once"),
    ("quant/tomic.rs: hv_standing", "tomic.md 7.1: one of TOMIC's own formulas over a whole file"),
];

const MAX_LINES: usize = 500;

const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "src",
    "schemas",
    "tests",
    "examples",
    "data",
    "target",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `src`, by its path there with `/`, and its text.
fn sources() -> Vec<(String, String)> {
    let base = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&base).unwrap().components();
                let parts: Vec<_> = inside.map(|c| c.as_os_str().to_string_lossy()).collect();
                found.push((parts.join("/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    found.sort();
    found
}

/// One token of Rust code; comments and literals are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Word(String),
    /// `::`
    Path,
    Mark(char),
}

/// The tokens of Rust source, without comments, strings and characters.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                let step = match (at(i), at(i + 1)) {
                    ('/', '*') => {
                        depth += 1;
                        2
                    }
                    ('*', '/') => {
                        depth -= 1;
                        2
                    }
                    _ => 1,
                };
                i += step;
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if c == '"' {
            i = after_string(&chars, i);
        } else if c == '\'' {
            // A lifetime has no closing quote right after its first character.
            if at(i + 1) == '\\' {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            } else if at(i + 2) == '\'' {
                i += 3;
            } else {
                i += 1;
            }
        } else if word(c) {
            let start = i;
            while word(at(i)) {
                i += 1;
            }
            let text: String = chars[start..i].iter().collect();
            let raw = matches!(text.as_str(), "r" | "br" | "cr");
            let hashes = chars[i..].iter().take_while(|&&c| c == '#').count();
            if raw && at(i + hashes) == '"' {
                let end: String = std::iter::once('"').chain((0..hashes).map(|_| '#')).collect();
                let rest: String = chars[i + hashes + 1..].iter().collect();
                let inside = rest.find(&end).unwrap_or(rest.len());
                i += hashes + 1 + rest[..inside].chars().count() + end.len();
            } else if raw && hashes == 1 {
                i += 1; // r#type
            } else if at(i) == '"' && matches!(text.as_str(), "b" | "c") {
                i = after_string(&chars, i);
            } else {
                out.push(Token::Word(text));
            }
        } else if c == ':' && at(i + 1) == ':' {
            out.push(Token::Path);
            i += 2;
        } else {
            if !c.is_whitespace() {
                out.push(Token::Mark(c));
            }
            i += 1;
        }
    }
    out
}

/// The index after the string whose quote is at `i`.
fn after_string(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn is_word(token: Option<&Token>, text: &str) -> bool {
    matches!(token, Some(Token::Word(word)) if word == text)
}

/// The code that is not for tests: items under `#[cfg(test)]` are left out.
fn without_tests(all: &[Token]) -> Vec<Token> {
    let gate = tokens("#[cfg(test)]");
    let mut out = Vec::new();
    let mut i = 0;
    while i < all.len() {
        if !all[i..].starts_with(&gate) {
            out.push(all[i].clone());
            i += 1;
            continue;
        }
        i += gate.len();
        let mut depth = 0;
        while i < all.len() {
            let end = match all[i] {
                Token::Mark('{' | '(' | '[') => {
                    depth += 1;
                    false
                }
                Token::Mark('}') => {
                    depth -= 1;
                    depth == 0
                }
                Token::Mark(')' | ']') => {
                    depth -= 1;
                    false
                }
                Token::Mark(';') => depth == 0,
                _ => false,
            };
            i += 1;
            if end {
                break;
            }
        }
    }
    out
}

/// Every path that the code names, groups spelled out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &[Token]) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < code.len() {
        if matches!(code[i], Token::Word(_)) {
            i = read_path(code, i, &[], &mut out);
        } else {
            i += 1;
        }
    }
    out
}

fn read_path(code: &[Token], mut i: usize, prefix: &[String], out: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(Token::Word(word)) = code.get(i) {
        path.push(word.clone());
        i += 1;
        if code.get(i) != Some(&Token::Path) {
            break;
        }
        i += 1;
        if code.get(i) == Some(&Token::Mark('{')) {
            i += 1;
            while i < code.len() && code[i] != Token::Mark('}') {
                if matches!(code[i], Token::Word(_)) {
                    i = read_path(code, i, &path, out);
                } else {
                    i += 1;
                }
            }
            return i + 1;
        }
    }
    out.push(path);
    i
}

/// The path of the module that a file is, as words: `cli/mod.rs` is `cli`.
fn module(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if parts.last().is_some_and(|last| matches!(*last, "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The files that are compiled into the program: those of tests are left out.
fn program(files: &[(String, String)]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut next: Vec<Vec<String>> = vec![Vec::new()]; // lib.rs and main.rs
    while let Some(path) = next.pop() {
        for (file, text) in files.iter().filter(|(file, _)| module(file) == path) {
            let code = without_tests(&tokens(text));
            for three in code.windows(3) {
                if let [module, Token::Word(name), Token::Mark(';')] = three
                    && is_word(Some(module), "mod")
                {
                    next.push([&path[..], std::slice::from_ref(name)].concat());
                }
            }
            found.push((file.clone(), text.clone()));
        }
    }
    found.sort();
    found
}

/// The arrows between floors that the table does not allow.
fn wrong_arrows(file: &str, text: &str) -> Vec<String> {
    let module = module(file);
    let Some(from) = module.first() else {
        return Vec::new(); // lib.rs and main.rs
    };
    let Some((_, allowed)) = FLOORS.iter().find(|(floor, _)| floor == from) else {
        return vec![format!("{file}: `{from}` is not a floor of the table")];
    };
    let mut found = BTreeSet::new();
    for path in paths(&without_tests(&tokens(text))) {
        let supers = path.iter().take_while(|word| *word == "super").count();
        let to = match path.first().map(String::as_str) {
            Some("crate" | "volledger") => path.get(1),
            Some("super") if supers == module.len() => path.get(supers),
            _ => None,
        };
        let Some(to) = to.map(String::as_str) else {
            continue;
        };
        let is_floor = FLOORS.iter().any(|(floor, _)| *floor == to);
        if is_floor && to != *from && !allowed.contains(&to) {
            found.insert(format!("{file}: {from} names {to}"));
        }
    }
    found.into_iter().collect()
}

/// Which groups of modules name which, per floor; a group is a child of the floor with all below it.
/// What `mod.rs` of a floor gives out again counts as named where it comes from.
fn groups(files: &[(String, String)]) -> BTreeMap<(String, String), BTreeSet<String>> {
    let named: Vec<(Vec<String>, Vec<Vec<String>>)> = files
        .iter()
        .map(|(file, text)| {
            let module: Vec<String> = module(file).into_iter().map(str::to_owned).collect();
            let absolute = |path: Vec<String>| match path.first().map(String::as_str) {
                Some("crate") => Some(path[1..].to_vec()),
                Some("super") => {
                    let supers = path.iter().take_while(|word| *word == "super").count();
                    let base = &module[..module.len().checked_sub(supers)?];
                    Some([base, &path[supers..]].concat())
                }
                _ => Some([&module[..], &path[..]].concat()),
            };
            let all = paths(&without_tests(&tokens(text)));
            (module.clone(), all.into_iter().filter_map(absolute).collect())
        })
        .collect();
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = named
        .iter()
        .filter_map(|(module, _)| Some((module.first()?.clone(), module.get(1)?.clone())))
        .map(|group| (group, BTreeSet::new()))
        .collect();
    let given_out: BTreeMap<(String, String), String> = named
        .iter()
        .filter(|(module, _)| module.len() == 1)
        .flat_map(|(_, paths)| paths)
        .filter(|path| path.len() > 2)
        .map(|path| ((path[0].clone(), path[path.len() - 1].clone()), path[1].clone()))
        .collect();
    for (module, paths) in named.iter().filter(|(module, _)| module.len() > 1) {
        let from = (module[0].clone(), module[1].clone());
        for path in paths.iter().filter(|path| path.len() > 1 && path[0] == module[0]) {
            let to = (path[0].clone(), path[1].clone());
            let to =
                given_out.get(&to).filter(|_| !found.contains_key(&to)).cloned().or(Some(to.1));
            let to = to.filter(|to| found.contains_key(&(module[0].clone(), to.clone())));
            if let Some(to) = to.filter(|to| *to != from.1) {
                found.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    found
}

/// The groups of modules that are on a circle, or between two, with what of these they name.
fn circles(files: &[(String, String)]) -> Vec<String> {
    let mut left = groups(files);
    loop {
        let before = left.len();
        let all = left.clone();
        let floor = |at: &(String, String), of: &(String, String)| at.0 == of.0;
        left.retain(|at, named| {
            named.retain(|to| all.contains_key(&(at.0.clone(), to.clone())));
            let is_named = all.iter().any(|(of, named)| floor(at, of) && named.contains(&at.1));
            is_named && !named.is_empty()
        });
        if left.len() == before {
            break;
        }
    }
    let told = left.iter().map(|((floor, group), named)| {
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        format!("{floor}/{group} names {}", named.join(" and "))
    });
    told.collect()
}

/// What may be named in its homes only: [`HOMES`], and each crate of Cargo.toml whose comment ends in
/// `home: ledger/codec, cli/ui.rs`: files and folders below `src`.
fn homes() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let normal = text.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let of_crate = normal.lines().filter_map(|line| {
        let (crate_name, homes) = (line.split(' ').next()?, line.split_once("home: ")?.1);
        let homes = homes.split(", ").map(str::to_owned).collect();
        Some((crate_name.replace('-', "_"), homes))
    });
    let others = HOMES.iter().map(|(what, homes)| {
        (what.to_string(), homes.iter().map(|home| home.to_string()).collect())
    });
    of_crate.chain(others).collect()
}

fn lives_in(file: &str, homes: &[String]) -> bool {
    let name = file.trim_end_matches(".rs");
    homes.iter().any(|home| {
        let rest = name.strip_prefix(home.trim_end_matches(".rs"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What a file names although it has its home elsewhere.
fn away_from_home(file: &str, text: &str) -> Vec<String> {
    let code = without_tests(&tokens(text));
    let paths = paths(&code);
    let mut found = Vec::new();
    for (what, homes) in &homes() {
        let wanted: Vec<&str> = what.split("::").collect();
        // A module of ours may have a crate's name: declared here, or imported.
        let declared =
            code.windows(2).any(|pair| is_word(pair.first(), "mod") && is_word(pair.get(1), what));
        let ours = |path: &Vec<String>| {
            matches!(path[0].as_str(), "crate" | "super" | "self") && path.last() == Some(what)
        };
        let used = code
            .windows(3)
            .any(|three| is_word(three.first(), "use") && is_word(three.get(1), what));
        let attribute = code.windows(3).any(|three| {
            three[0] == Token::Mark('#')
                && three[1] == Token::Mark('[')
                && is_word(three.get(2), what)
        });
        let shadowed = declared || paths.iter().any(ours);
        let named = paths.iter().any(|path| match wanted[..] {
            // A crate's path begins with it; a longer path may stand anywhere.
            [one] => !shadowed && path.len() > 1 && path[0] == one,
            _ => path.windows(wanted.len()).any(|part| part == wanted),
        });
        if (named || attribute || (used && !shadowed)) && !lives_in(file, homes) {
            found.push(format!("{file}: `{what}` lives in {}", homes.join(" and ")));
        }
    }
    let prints = code.windows(2).any(|pair| {
        let macros = ["print", "println", "eprint", "eprintln"];
        macros.iter().any(|name| is_word(pair.first(), name)) && pair[1] == Token::Mark('!')
    });
    if prints && !lives_in(file, &[PRINTS.to_owned()]) {
        found.push(format!("{file}: printing lives in {PRINTS}"));
    }
    found
}

/// The relative links of a Markdown text, without their anchors.
fn links(text: &str) -> Vec<String> {
    let marks = ["](", "src=\"", "href=\"", "srcset=\""];
    let mut found = Vec::new();
    for mark in marks {
        let end = if mark == "](" { ')' } else { '"' };
        for (start, _) in text.match_indices(mark) {
            let rest = &text[start + mark.len()..];
            let link = rest.split([end, '\n', ' ', '#']).next().unwrap_or_default();
            let outside = link.contains("://") || link.starts_with("mailto:");
            if !outside && !link.is_empty() {
                found.push(link.to_owned());
            }
        }
    }
    found
}

/// Paths of a machine that text should not have.
fn machine_paths(text: &str) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let needles = ["work", "root"].map(|name| format!("/{name}/"));
    let lines = text.lines().enumerate();
    let hits = lines.filter(|(_, line)| needles.iter().any(|needle| line.contains(needle)));
    hits.map(|(i, line)| format!("{}: {line}", i + 1)).collect()
}

/// The files that git tracks, or would: ignored ones are left out.
fn tracked() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(root()).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        // Not `eprintln!`, which cargo hides when a test passes.
        let line = b"SKIPPED: git lists no files here (machine paths not looked for)\n";
        std::io::stderr().write_all(line).unwrap();
        return Vec::new();
    };
    let names = String::from_utf8(output.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty());
    names.map(PathBuf::from).collect()
}

/// The public names that nothing but tests uses: the compiler is silent about them, since a program
/// that uses the library might. `others` may use them as well. A name is a word here, wherever it
/// stands, so one that is common is never found.
fn unused(program: &[(String, String)], others: &[String]) -> Vec<String> {
    const KINDS: [&str; 7] = ["fn", "struct", "enum", "const", "static", "type", "trait"];
    /// What may stand between `pub` and the name.
    const BETWEEN: [&str; 12] = [
        "in", "crate", "super", "self", "async", "fn", "struct", "enum", "const", "static", "type",
        "trait",
    ];
    let code = |text: &str| without_imports(without_tests(&tokens(text)));
    let files: Vec<_> = program.iter().map(|(file, text)| (file.as_str(), code(text))).collect();
    let others: Vec<_> = others.iter().map(|text| code(text)).collect();
    let defines =
        |token: &Token| matches!(token, Token::Word(word) if KINDS.contains(&word.as_str()));
    let mut used = BTreeSet::new();
    for code in files.iter().map(|(_, code)| code).chain(&others) {
        used.extend(code.first());
        let pairs = code.windows(2).filter(|pair| !defines(&pair[0]) || defines(&pair[1]));
        used.extend(pairs.map(|pair| &pair[1]));
    }
    // A text like `{NAME}` uses a name as well.
    let in_text = |name: &str| {
        let forms = [format!("{{{name}}}"), format!("{{{name}:")];
        program.iter().any(|(_, text)| forms.iter().any(|form| text.contains(form)))
    };
    let mut found = Vec::new();
    for (file, code) in &files {
        let mut is_public = false;
        for pair in code.windows(2) {
            is_public = match &pair[0] {
                Token::Word(word) if word == "pub" => true,
                Token::Word(word) => is_public && BETWEEN.contains(&word.as_str()),
                mark => is_public && matches!(mark, Token::Path | Token::Mark('(' | ')')),
            };
            if let (true, true, Token::Word(name)) = (is_public, defines(&pair[0]), &pair[1])
                && !defines(&pair[1])
                && !used.contains(&pair[1])
                && !in_text(name)
            {
                found.push(format!("{file}: {name}"));
            }
        }
    }
    found
}

/// Code without what is between `use` and `;`: who only imports a name does not use it.
fn without_imports(code: Vec<Token>) -> Vec<Token> {
    let mut inside = false;
    let keep = code.into_iter().filter(|token| {
        let was = inside && *token != Token::Mark(';');
        inside = was || is_word(Some(token), "use");
        !was
    });
    keep.collect()
}

/// Entries of the top level that do not belong there.
fn strays(names: &[String]) -> Vec<&String> {
    let belongs = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name);
    names.iter().filter(|name| !belongs(name)).collect()
}

/// The files that are too long, with their lines.
fn too_long(files: &[(String, String)]) -> Vec<String> {
    let counted = files.iter().map(|(name, text)| (name, text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(name, lines)| format!("{name}: {lines} lines")).collect()
}

/// The files that no module names: nothing compiles them.
fn left_out(files: &[(String, String)]) -> Vec<&String> {
    let named = |(file, _): &&(String, String)| {
        let path = module(file);
        let Some((name, above)) = path.split_last() else { return true };
        let (declared, placed) = (format!("mod {name};"), format!("\"{name}.rs\"]"));
        files.iter().any(|(other, text)| {
            // Tests stand beside what they test, under a path of their own.
            let folder = other.rsplit_once('/').map(|(folder, _)| folder).unwrap_or_default();
            (module(other) == above && text.contains(&declared))
                || (folder == above.join("/") && text.contains(&placed))
        })
    };
    files.iter().filter(|file| !named(file)).map(|(file, _)| file).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn floors_name_only_what_lies_below() {
    let all = sources();
    let wrong = all.iter().flat_map(|(file, text)| wrong_arrows(file, text));
    assert_eq!(wrong.collect::<Vec<_>>(), NONE);
}

#[test]
fn a_wrong_arrow_is_noticed() {
    let one = ["domain/day.rs: domain names ledger"];
    for text in [
        "use crate::ledger::Ledger;",
        "use crate::{domain::Day, ledger};",
        "use crate::{self, quant_like, ledger::{a, b}};",
        "fn f() { let _x: &'a u8 = crate::ledger::open('\"'); }",
        "fn f() { super::super::ledger::open(\"a\\\"b\") }",
        "#[cfg(test)] mod tests { fn g() {} } use crate::ledger;",
        "#[cfg(test)] use x::{y, z}; use crate::ledger;",
        "const A: &str = r#\" \"crate \"#; use crate::ledger;",
    ] {
        assert_eq!(wrong_arrows("domain/day.rs", text), one, "{text}");
    }
    for text in [
        "use crate::domain::Day; use super::ledger;",
        "//! See [`crate::ledger`].\n/* crate::ledger /* crate::cli */ crate::serve */",
        "const A: &str = \"crate::ledger\"; const B: &str = r#\"crate::ledger\"#;",
        "#[cfg(test)]\nmod tests { use crate::ledger::Ledger; fn f() { if true {} } }",
        "#[cfg(test)] use crate::ledger;",
        "#[cfg(test)]\nfn f(x: [u8; 2]) { crate::ledger::open() }",
        "use crate::ledger_like;",
    ] {
        assert_eq!(wrong_arrows("domain/day.rs", text), NONE, "{text}");
    }
    assert_eq!(wrong_arrows("serve/mod.rs", "use crate::cli;").len(), 1);
    assert_eq!(wrong_arrows("serve/mod.rs", "use super::ledger;").len(), 1);
    assert_eq!(wrong_arrows("cli/commands/serve.rs", "use crate::serve;"), NONE);
    assert_eq!(wrong_arrows("attic/mod.rs", "").len(), 1);
    assert_eq!(wrong_arrows("lib.rs", "pub use crate::ledger::Ledger;"), NONE);
}

/// The groups that may name each other. A projection may be written in SQL, which reads projections,
/// as of a position; one of them without the others would be half a thing.
const KNOT: [&str; 3] = ["app/projection", "app/sql", "app/vantage"];

#[test]
fn modules_of_app_go_in_no_circle() {
    // The other floors are small enough to be read whole; this one is half of the program.
    let mut files = program(&sources());
    files.retain(|(file, _)| file.starts_with("app/"));
    let found = circles(&files);
    let named = |line: &String| KNOT.iter().any(|knot| line.starts_with(&format!("{knot} names")));
    let others: Vec<&String> = found.iter().filter(|line| !named(line)).collect();
    assert_eq!(others, Vec::<&String>::new());
    assert_eq!(found.len(), KNOT.len(), "less of a knot than the list says: {found:?}");
}

#[test]
fn a_circle_is_noticed() {
    let circle = |files: &[(&str, &str)]| {
        let owned = |(file, text): &(&str, &str)| (file.to_string(), text.to_string());
        circles(&files.iter().map(owned).collect::<Vec<_>>())
    };
    let b = ("app/b/mod.rs", "");
    let two = ["app/a names b", "app/b names a"];
    for (a, b) in [
        (("app/a.rs", "use super::b;"), ("app/b/c.rs", "use crate::app::a::A;")),
        (("app/a/d/e.rs", "use crate::app::b;"), ("app/b/c.rs", "fn f() { super::super::a::g() }")),
    ] {
        assert_eq!(circle(&[a, b]), two);
    }
    // Through what the floor gives out, and through a third.
    let out = ("app/mod.rs", "pub use b::B;");
    assert_eq!(circle(&[out, ("app/a.rs", "use super::B;"), ("app/b.rs", "use super::a;")]), two);
    let three = [("app/a.rs", "use super::b;"), ("app/b.rs", "use super::c;")];
    assert_eq!(circle(&[three[0], three[1], ("app/c.rs", "use super::a;")]).len(), 3);
    // Down one way, within a group, for tests, on another floor.
    assert_eq!(circle(&[three[0], three[1], ("app/c.rs", "")]), NONE);
    assert_eq!(
        circle(&[("app/a.rs", "use super::b; mod d;"), ("app/a/d.rs", "use super::a;"), b]),
        NONE
    );
    assert_eq!(circle(&[three[0], ("app/b.rs", "#[cfg(test)] use super::a;")]), NONE);
    assert_eq!(
        circle(&[three[0], ("app/b.rs", "use crate::ledger::a;"), ("ledger/a.rs", "")]),
        NONE
    );
}

#[test]
fn crates_stay_at_home() {
    for (what, homes) in homes() {
        let lost = |home: &&String| {
            !["", ".rs"].iter().any(|end| root().join(format!("src/{home}{end}")).exists())
        };
        assert_eq!(homes.iter().filter(lost).collect::<Vec<_>>(), NONE, "homes of {what}");
    }
    let all = program(&sources());
    let wrong = all.iter().flat_map(|(file, text)| away_from_home(file, text));
    assert_eq!(wrong.collect::<Vec<_>>(), NONE);
}

#[test]
fn a_crate_away_from_home_is_noticed() {
    for (file, text) in [
        ("ledger/block.rs", "fn f() { bincode::decode() }"),
        ("ledger/codecs.rs", "#[derive(bincode::Encode)] struct A;"),
        ("ledger/block.rs", "#[bincode(crate = \"x\")] struct A;"),
        ("ledger/mod.rs", "use sled as engine;"),
        ("ledger/mod.rs", "use {std::fs, sled::Db};"),
        ("app/mod.rs", "let x = blake3::hash(b\"\\\"\");"),
        ("ledger/tree.rs", "use sha2::{Digest, Sha256};"),
        ("app/stage.rs", "csv::Writer::new()"),
        ("sources/csv/iv.rs", "csv::Reader::new()"),
        ("app/fetch/ask.rs", "use secrecy::SecretString;"),
        ("cli/mod.rs", "anstream::ColorChoice::Auto"),
        ("render/text.rs", "#[derive(clap::Args)] struct A;"),
        ("cli/mod.rs", "std::env::var(\"A\")"),
        ("cli/mod.rs", "use std::{env, fs};"),
        ("app/stage.rs", "chrono::Utc::now()"),
        ("app/stage.rs", "Utc::now()"),
        ("cli/mod.rs", "println!(\"\")"),
        ("main.rs", "std::eprintln!(\"\")"),
    ] {
        assert_eq!(away_from_home(file, text).len(), 1, "{file}: {text}");
    }
    for (file, text) in [
        ("ledger/codec/v1.rs", "#[derive(bincode::Encode)] struct A;"),
        ("ledger/codec.rs", "bincode::decode()"),
        ("ledger/store/sled.rs", "use sled::Db;"),
        ("ledger/store/mod.rs", "mod sled; pub use sled::Engine;"),
        ("ledger/mod.rs", "use self::store::sled; sled::open()"),
        ("sources/mod.rs", "pub mod csv; csv::read()"),
        ("app/export/stream.rs", "use crate::sources::csv;"),
        ("app/stage.rs", "use crate::sources::csv; csv::read()"),
        ("app/stage.rs", "crate::sources::csv::read()"),
        ("app/export/text.rs", "csv::Writer::new()"),
        ("main.rs", "std::env::args_os()"),
        ("config/mod.rs", "use std::env;"),
        ("cli/mod.rs", "env!(\"CARGO_PKG_VERSION\"); // println!(std::env)"),
        ("cli/ui.rs", "println!(\"\")"),
        ("app/clock.rs", "Utc::now()"),
        ("app/stage.rs", "#[cfg(test)] mod tests { fn f() { println!(\"\"); } }"),
    ] {
        assert_eq!(away_from_home(file, text), NONE, "{file}: {text}");
    }
}

#[test]
fn files_are_short() {
    assert_eq!(too_long(&sources()), NONE);
    let file = |lines| ("x.rs".to_owned(), "\n".repeat(lines));
    assert_eq!(too_long(&[file(500)]), NONE);
    assert_eq!(too_long(&[file(501)]), ["x.rs: 501 lines"]);
}

#[test]
fn every_file_is_part_of_the_program() {
    assert_eq!(left_out(&sources()), Vec::<&String>::new());
    let files = [
        ("lib.rs", "pub mod a;"),
        ("a/mod.rs", "mod b;"),
        ("a/b.rs", "mod c;\n#[path = \"b_tests.rs\"]\nmod tests;"),
        ("a/b_tests.rs", ""),
        ("a/b/c.rs", ""),
        ("a/c.rs", ""),
        ("d.rs", ""),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    assert_eq!(left_out(&files), ["a/c.rs", "d.rs"]);
}

#[test]
fn what_is_public_is_used() {
    let all = sources();
    let mut others = Vec::new();
    for folder in ["examples", "tests/fuzz/src"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            others.extend(
                path.extension()
                    .is_some_and(|end| end == "rs")
                    .then(|| fs::read_to_string(path).unwrap()),
            );
        }
    }
    let allowed: Vec<String> = UNUSED.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(unused(&program(&all), &others), allowed);

    let made_up = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(f, t)| (f.to_string(), t.to_string())).collect();
        unused(&files, &["fn main() { shown() }".to_owned()])
    };
    let text = "pub use b::again; pub const fn again() {} pub(super) struct Held; pub fn shown() {} \
                pub struct Kept { pub of: fn() } fn private() {} pub trait Told { fn tell(); } \
                #[cfg(test)] mod tests { fn f() { again(); Held } }";
    assert_eq!(
        made_up(&[("a.rs", text)]),
        ["a.rs: again", "a.rs: Held", "a.rs: Kept", "a.rs: Told"]
    );
    let user = "use crate::a::again; fn g(k: Kept) { Held; again() } impl Told for u8 {}";
    assert_eq!(made_up(&[("a.rs", text), ("b.rs", user)]), NONE);
}

#[test]
fn nothing_strays_on_the_top_level() {
    let entries = fs::read_dir(root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(strays(&names.collect::<Vec<_>>()), Vec::<&String>::new());
    let made_up = ["notes.txt", "src", ".github", "README"].map(str::to_owned);
    assert_eq!(strays(&made_up), ["notes.txt", "README"]);
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    if let Ok(text) = fs::read_to_string(root().join("README.md")) {
        let broken: Vec<_> =
            links(&text).into_iter().filter(|link| !root().join(link).exists()).collect();
        assert_eq!(broken, NONE);
    }
    let text = "[a](data/x.csv) ![b](img/y.svg \"t\") [c](#here) [d](https://e.org/f) \
                [g](h.md#part) <img src=\"i.svg\">";
    assert_eq!(links(text), ["data/x.csv", "img/y.svg", "h.md", "i.svg"]);
    assert!(!root().join("img/y.svg").exists());
}

#[test]
fn tracked_files_name_no_place_of_one_machine() {
    let mut found = Vec::new();
    for path in tracked() {
        // What is not text has no path that a person would read.
        if let Ok(text) = fs::read_to_string(root().join(&path)) {
            let hits = machine_paths(&text);
            found.extend(hits.into_iter().map(|hit| format!("{}:{hit}", path.display())));
        }
    }
    assert_eq!(found, NONE);
    let made_up = format!("fine\n{}/shared/x\n/{}/.cargo\nhomework/x", "/work", "root");
    assert_eq!(machine_paths(&made_up).len(), 2);
}
