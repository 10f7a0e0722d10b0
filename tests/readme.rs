//! The README's console blocks, run as they stand: the same commands give the same output.

#[test]
fn the_readme_says_what_happens() {
    let scratch = tempfile::tempdir().unwrap();
    trycmd::TestCases::new()
        .case("README.md")
        .register_bin("volledger", assert_cmd::cargo::cargo_bin!("volledger"))
        .env("VOLLEDGER_DIR", scratch.path().join("ledger").to_string_lossy())
        .env("VOLLEDGER_NOW", "2026-11-21T09:00:00Z")
        .env("VOLLEDGER_ACTOR", "you")
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1");
}
