//! The supply chain: what Cargo.lock holds, under which licences, and why, against the lists of
//! `tests/supply.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn table(name: &str) -> toml::Table {
    read(name).parse().unwrap()
}

/// A list of `name = "why"`.
fn reasons(list: &str) -> BTreeMap<String, String> {
    let rules = table("tests/supply.toml");
    let entries = rules[list].as_table().unwrap().iter();
    entries.map(|(name, why)| (name.clone(), why.as_str().unwrap().to_owned())).collect()
}

/// The part of a version that a compatible one shares: `1` of 1.2.3, `0.3` of 0.3.4.
fn major(version: &str) -> String {
    let mut parts = version.split('.');
    let first = parts.next().unwrap_or_default();
    match first {
        "0" => format!("0.{}", parts.next().unwrap_or_default()),
        _ => first.to_owned(),
    }
}

/// Name, version and source of everything in a lock file.
fn locked(lock: &toml::Table) -> Vec<(String, String, Option<String>)> {
    let text = |package: &toml::Value, key: &str| {
        package.get(key).map(|value| value.as_str().unwrap().to_owned())
    };
    let packages = lock["package"].as_array().unwrap().iter();
    let all = packages.map(|package| {
        (text(package, "name").unwrap(), text(package, "version").unwrap(), text(package, "source"))
    });
    all.collect()
}

/// Crates of a lock file that are on the list of forbidden ones.
fn forbidden(lock: &toml::Table, list: &BTreeMap<String, String>) -> Vec<String> {
    let packages = locked(lock).into_iter();
    let hits = packages.filter(|(name, version, _)| {
        list.contains_key(name) || list.contains_key(&format!("{name}@{}", major(version)))
    });
    hits.map(|(name, version, _)| format!("{name} {version}")).collect()
}

/// Crates of a lock file with several incompatible versions.
fn duplicates(lock: &toml::Table) -> BTreeSet<String> {
    let mut majors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, version, _) in locked(lock) {
        majors.entry(name).or_default().insert(major(&version));
    }
    majors.into_iter().filter(|(_, of)| of.len() > 1).map(|(name, _)| name).collect()
}

/// Whether a licence expression can be met with some licences alone. `/` is an old `OR`.
fn allows(expression: &str, licences: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(&words, &mut at, licences);
    met && at == words.len()
}

fn either(words: &[&str], at: &mut usize, licences: &BTreeSet<String>) -> bool {
    let mut met = both(words, at, licences);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(words, at, licences);
    }
    met
}

fn both(words: &[&str], at: &mut usize, licences: &BTreeSet<String>) -> bool {
    let mut met = one(words, at, licences);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, licences);
    }
    met
}

fn one(words: &[&str], at: &mut usize, licences: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = either(words, at, licences);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    let mut name = (*word).to_owned();
    if let (Some(&"WITH"), Some(exception)) = (words.get(*at), words.get(*at + 1)) {
        name = format!("{name} WITH {exception}");
        *at += 2;
    }
    licences.contains(&name)
}

/// Lines of the tables of dependencies that name a crate without a comment.
fn silent(manifest: &str) -> Vec<&str> {
    let mut in_list = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_list = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_list && !line.trim().is_empty() && !line.starts_with('#') {
            let comment = line.rsplit_once(" # ").map_or("", |(_, comment)| comment);
            // The last ` # ` of a line with a comment is outside its strings.
            if comment.trim().len() < 5 || comment.contains('"') {
                found.push(line);
            }
        }
    }
    found
}

const NONE: [&str; 0] = [];

#[test]
fn nothing_forbidden_is_in_the_lock_file() {
    let list = reasons("forbidden");
    assert_eq!(forbidden(&table("Cargo.lock"), &list), NONE);
    for (name, version) in [("openssl", "0.10.1"), ("bincode", "3.0.0"), ("sled", "1.0.0-alpha.1")]
    {
        let text = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        assert_eq!(forbidden(&text.parse().unwrap(), &list).len(), 1, "{name}");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    let lock = table("Cargo.lock");
    let mut others: Vec<_> = locked(&lock)
        .into_iter()
        .filter(|(_, _, source)| !source.as_ref().is_some_and(|of| of.starts_with("registry+")))
        .map(|(name, _, _)| name)
        .collect();
    others.sort();
    assert_eq!(others, ["volledger"]);
    for package in lock["package"].as_array().unwrap() {
        let checked = package.get("checksum").is_some() || package.get("source").is_none();
        assert!(checked, "{package:?} has no checksum");
    }
}

#[test]
fn two_versions_of_a_crate_are_explained() {
    let explained: BTreeSet<String> = reasons("duplicates").into_keys().collect();
    assert_eq!(duplicates(&table("Cargo.lock")), explained);
    let two = "[[package]]\nname = \"a\"\nversion = \"0.1.9\"\n\
               [[package]]\nname = \"a\"\nversion = \"0.2.0\"\n";
    assert_eq!(duplicates(&two.parse().unwrap()).len(), 1);
    assert_eq!(duplicates(&two.replace("0.2.0", "0.1.3").parse().unwrap()).len(), 0);
}

#[test]
fn what_the_stored_bytes_hang_on_is_pinned() {
    let manifest = table("Cargo.toml");
    let lock = locked(&table("Cargo.lock"));
    for (name, version) in reasons("exact") {
        let dependency = &manifest["dependencies"][&name];
        let asked = dependency.as_str().or_else(|| dependency.get("version")?.as_str());
        assert_eq!(asked, Some(format!("={version}").as_str()), "{name}");
        let found: Vec<_> = lock.iter().filter(|(one, _, _)| *one == name).collect();
        assert!(found.len() == 1 && found[0].1 == version, "{found:?}");
    }
}

#[test]
fn what_nobody_maintains_is_known_and_contained() {
    let (lock, page) = (locked(&table("Cargo.lock")), read("src/ARCHITECTURE.md"));
    let section = page.split("## Dependencies that are not maintained").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    for name in reasons("unmaintained").into_keys() {
        assert!(lock.iter().any(|(one, _, _)| *one == name), "{name} is not used any more");
        assert!(section.contains(&format!("`{name}`")), "ARCHITECTURE.md says nothing of {name}");
    }
}

#[test]
fn each_dependency_says_what_it_is_for() {
    let manifest = read("Cargo.toml");
    assert_eq!(silent(&manifest), NONE);
    for line in ["a = \"1\"", "a = { version = \"1\" } #", "a = \"1 # not a comment\""] {
        let made_up = format!("[dev-dependencies]\n{line}\nb = \"1\" # its use\n[lints]\nx = 1\n");
        assert_eq!(silent(&made_up), [line]);
    }
}

#[test]
fn the_fuzzers_lock_file_knows_every_dependency() {
    // Else `tests/fuzz/run.sh` ends before it begins, and nobody is told.
    let lock = table("tests/fuzz/Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    let own = packages.iter().find(|of| of["name"].as_str() == Some("volledger")).unwrap();
    let known = own["dependencies"].as_array().unwrap().iter();
    let known: BTreeSet<&str> =
        known.map(|of| of.as_str().unwrap().split(' ').next().unwrap()).collect();
    let manifest = table("Cargo.toml");
    let wanted = manifest["dependencies"].as_table().unwrap().iter();
    let wanted = wanted.filter(|(_, of)| of.get("optional").is_none()).map(|(name, _)| name);
    let missing: Vec<_> = wanted.filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}: `cargo metadata` in tests/fuzz writes them");
}

#[test]
fn licences_are_on_the_list() {
    let rules = table("tests/supply.toml");
    let listed = rules["licences"].as_array().unwrap().iter();
    let listed: BTreeSet<String> = listed.map(|one| one.as_str().unwrap().to_owned()).collect();
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR GPL-3.0) AND (GPL-3.0 OR GPL-2.0)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(allows(expression, &listed), met, "{expression}");
    }

    let cargo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        let output = command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // What is not built on this machine need not be here.
    let about = cargo(&["--version", "--verbose"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let format = ["--format-version", "1", "--filter-platform", host];
    let metadata = cargo(&[&["metadata", "--locked", "--offline"][..], &format].concat());
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let refused = packages.iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("none");
        let told = || format!("{} {}: {licence}", package["name"], package["version"]);
        (!allows(licence, &listed)).then(told)
    });
    assert_eq!(refused.collect::<Vec<_>>(), NONE);
}

#[test]
fn continuous_integration_uses_the_lock_file() {
    let script = read(".ci/run");
    let building = ["cargo build", "cargo test", "cargo clippy", "cargo bench", "cargo run"];
    let loose = script.lines().filter(|line| {
        building.iter().any(|command| line.trim_start().starts_with(command))
            && !line.contains("--locked")
    });
    assert_eq!(loose.collect::<Vec<_>>(), NONE);
    assert!(script.contains("cargo test --locked"));
}
