//! The tour runs to its end and leaves nothing behind.

use super::Desk;

#[test]
fn the_tour_runs_from_import_to_verify() {
    let desk = Desk::new();
    let temporary = desk.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let output = desk.command(["tour"]).env("TMPDIR", &temporary).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for wanted in [
        "$ volledger import iv iv/VOLA.csv -s VOLA",
        "63.84 %",
        "76.83 %",
        "Rolled back b4",
        "(exit 11)",
        "every block and source read whole  ok",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!desk.path().join(".volledger").exists());
}

#[test]
fn a_kept_tour_can_be_gone_on_with() {
    let desk = Desk::new();
    desk.run("tour --keep there").exits(0);
    assert_eq!(desk.run("-L there/.volledger status --json").json()["position"], 9);
    desk.run("tour --keep there").exits(2);
    assert!(desk.run("tour --json").exits(2).err.contains("a tour is for people"));
}
