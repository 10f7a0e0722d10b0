//! What reading commands print, in every form.

use super::{Desk, sample};
use std::process::Stdio;

#[test]
fn every_document_is_what_its_schema_says() {
    let desk = Desk::with_iv();
    desk.run(&format!("import spot {} -s VOLA --yes", sample("spot/VOLA.csv"))).exits(0);
    for line in [
        "status",
        "batch list",
        "batch show b1",
        "batch diff b1 --full",
        "view iv VOLA",
        "view iv VOLA --at 0",
        "view spot VOLA --first --columns close",
        "why iv VOLA 2024-12-30",
        "diff 0 2",
        "gaps",
        "rank --first",
        "snapshot --at 2",
        "screen atm_iv>0.1",
        "overview",
        "overview VOLA --rules windowed --date 2024-12-31 --first",
        "overview --list-rules",
        "overview --list-rules --rules windowed",
        "coverage",
        "coverage NONE --date 2024-12-31 --at 2",
        "log",
        "log --limit 1 --at #2",
        "show b1/3",
        "show #1",
        "verify",
        "verify --deep",
        "projection list",
        "projection verify iv",
        "projection rebuild hv",
        "export tomic out",
        "export iv VOLA -O iv.csv",
        "batch export b1 b1.bundle",
        "backup all.backup",
        "undo --plan",
    ] {
        desk.run(&format!("{line} --json")).exits(0).json();
        for form in ["table", "jsonl", "csv", "markdown"] {
            let ran = desk.run(&format!("{line} -o {form}")).exits(0);
            assert!(!ran.out.contains('\u{1b}'), "{line}: {}", ran.out);
            if form == "jsonl" {
                let objects = ran.out.lines().map(serde_json::from_str::<serde_json::Value>);
                assert!(objects.into_iter().all(|object| object.unwrap().is_object()), "{line}");
            }
        }
    }
    let restored = desk.run("restore all.backup copy --json").exits(0).json();
    assert_eq!(restored["ok"], true);
    assert_eq!(desk.run("-L copy status --json").json()["position"], 4);
    desk.run("-L other init").exits(0);
    let moved = desk.run("-L other batch import b1.bundle --yes --json").exits(0).json();
    assert_eq!(moved["state"], "active");
}

#[test]
fn views_carry_fractions_in_data_and_percent_in_tables() {
    let desk = Desk::with_iv();
    let two = "view iv VOLA --from 2024-12-30 --columns atm_iv";
    assert_eq!(
        desk.run(&format!("{two} -o csv")).out,
        "date,atm_iv\n2024-12-30,0.6384\n2024-12-31,0.6389\n"
    );
    assert!(desk.run(two).out.contains("2024-12-30  63.84 %"));
    let text = sample("iv/VOLB.csv");
    desk.run(&format!("import iv {text} -s VOLB --yes")).exits(0);
    let both = desk.run("view iv VOLA VOLB --json").json();
    assert_eq!(both["views"][1]["symbol"], "VOLB");
    assert_eq!(desk.run("view iv VOLA VOLB -o jsonl").out.lines().count(), 2);
    desk.run("view iv NOPE").exits(1);
}

#[test]
fn streams_keep_apart_and_a_closed_pipe_is_no_failure() {
    let desk = Desk::with_iv();
    let quiet = desk.run("status -q");
    assert_eq!(quiet.err, "");
    assert!(desk.run("verify").err.starts_with("Hint: "));
    let mut child = desk.command(["view", "iv", "VOLA"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn signs_fall_back_to_ascii_and_colour_is_asked_for() {
    let desk = Desk::with_iv();
    let mut plain = desk.command(["batch", "show", "b1"]);
    let output = plain.env("LC_ALL", "C").output().unwrap();
    assert!(output.stdout.is_ascii());
    let painted = desk.run("batch show b1 --color always");
    assert!(painted.out.contains("\u{1b}["));
    let stripped = desk.run("batch show b1");
    assert!(!stripped.out.contains('\u{1b}'));
}

#[test]
fn help_manual_and_completions_are_complete() {
    let desk = Desk::new();
    let help = desk.run("--help").exits(0).out;
    for command in ["import", "batch", "undo", "why", "tour", "verify", "EXAMPLES"] {
        assert!(help.contains(command), "{command}");
    }
    // Each mapping that the program brings is named where one looks for it.
    let help = desk.run("import --help").exits(0).out;
    let named: Vec<&str> = help.split(|c: char| !c.is_ascii_lowercase() && c != '-').collect();
    for file in std::fs::read_dir("schemas/mappings").unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(named.contains(&&*name), "{name}");
    }
    let manual = desk.run("man").exits(0).out;
    assert!(manual.contains(".SH \"EXIT STATUS\"") && manual.contains("\\fB130\\fR"));
    assert!(desk.run("man batch confirm").exits(0).out.contains("expect"));
    desk.run("man nothing").exits(2);
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&format!("completions {shell}")).exits(0).out;
        assert!(script.contains("volledger"), "{shell}");
        // The views are completed, not only named when they were wrong.
        assert!(script.contains("straddles"), "{shell}");
        // And so are the mappings that can be printed.
        assert!(script.contains("spot-ohlc"), "{shell}");
    }
    assert!(desk.run("--version").exits(0).out.starts_with("volledger "));
}

#[test]
fn a_position_answers_the_same_whatever_comes_later() {
    let desk = Desk::with_iv();
    desk.write("n.sql", "SELECT :symbol AS symbol, count(*) AS n FROM iv WHERE symbol = :symbol");
    desk.run("projection add n --sql n.sql").exits(0);
    // Staged now, decided about later.
    desk.write("later.csv", "Date,IV30\n2024-12-30,99.5\n2024-12-31,98\n");
    let staged = "import iv later.csv -s VOLA --mapping mc-iv-basic --stage-only";
    desk.run(staged).exits(0);
    let at = desk.run("status --json").json()["position"].clone();
    let lines = [
        "rank",
        "snapshot",
        "snapshot --date 2023-05-02",
        "screen n_252>=0",
        "screen stale=0",
        "overview --date 2025-01-02",
        "overview --date 2025-01-02 --rules windowed",
        "coverage --date 2025-01-02",
        "gaps",
        "heatmap",
        "chart iv VOLA",
        "chart rank VOLA",
        "view iv",
        "view hv",
        "diff 0 2",
        "batch list",
        "batch show b1",
        "batch diff b1 --full",
        "batch diff b2 --full",
        "why iv VOLA 2024-12-30",
        "show b1/3",
        "gaps VOLA",
        "log",
        "export iv -O a.csv",
        "export iv -O a.jsonl",
        "export hv -O a.sqlite",
        "projection diff iv_metrics iv_hv",
    ];
    // Of a symbol that comes later nothing is known, and it stays so.
    let strange = [
        ("view iv VOLB", 0),
        ("view iv VOLB --first", 0),
        ("rank VOLB", 0),
        ("snapshot VOLB", 0),
        ("overview VOLB", 0),
        ("gaps VOLB", 0),
        ("heatmap VOLB", 0),
        ("chart iv VOLB", 1),
        ("earnings VOLB --date 2025-01-02", 0),
        ("vrp VOLB", 0),
        ("why iv VOLB 2024-12-30", 1),
        ("diff 0 2 --symbol VOLB", 1),
        ("export iv VOLB -O b.csv", 0),
        ("export tomic b VOLB", 0),
    ];
    let unknown = || -> Vec<(String, String)> {
        let asked = strange.iter().map(|(line, exit)| {
            let at = if line.starts_with("diff") { String::new() } else { format!("--at {at}") };
            let ran = desk.run(&format!("{line} {at} --json")).exits(*exit);
            assert!(*exit > 0 || ran.err.contains("nothing is known of VOLB at #"), "{line}");
            (ran.out, ran.err)
        });
        asked.collect()
    };
    let queries = ["SELECT * FROM n", "SELECT * FROM iv_metrics", "SELECT * FROM assertions"];
    let answers = || -> Vec<String> {
        let asked = lines.iter().map(|line| {
            let at = if line.starts_with("diff") { String::new() } else { format!("--at {at}") };
            desk.run(&format!("{line} {at} --json")).exits(0).out
        });
        let of_query = |text: &&str| {
            desk.words(&["sql", text, "--at", &at.to_string(), "--json"]).exits(0).out
        };
        asked.chain(queries.iter().map(of_query)).collect()
    };
    // Only the size on disk, and what is stored of a projection, are those of now.
    let status = || {
        let mut status = desk.run(&format!("status --at {at} --json")).exits(0).json();
        status.as_object_mut().unwrap().remove("bytes");
        status
    };
    let projections = || {
        let list = desk.run(&format!("projection list --at {at} --json")).exits(0).json();
        let mut lines = list["projections"].as_array().unwrap().clone();
        for line in lines.iter_mut().filter(|line| line["kind"] != "view") {
            for stored in ["state", "at", "symbols", "rows", "digest"] {
                line.as_object_mut().unwrap().remove(stored);
            }
        }
        (list["position"].clone(), lines)
    };
    let (before, stood, listed) = (answers(), status(), projections());
    let unheard = unknown();
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run(&format!("import earnings {} --yes", sample("earnings/calendar.csv"))).exits(0);
    desk.run(&format!("import spot {} -s VOLC --yes", sample("spot/VOLC.csv"))).exits(0);
    desk.run("undo").exits(0);
    desk.run("batch confirm b2").exits(0);
    desk.run("batch rollback b1 --reason wrong").exits(0);
    desk.write("n2.sql", "SELECT symbol, date FROM spot");
    desk.run("projection add n --sql n2.sql").exits(0);
    desk.run("projection promote n@2").exits(0);
    desk.run("projection drop n@1").exits(0);
    desk.run("projection add earnings_moves@1").exits(0);
    let after = answers();
    let names = lines.iter().chain(&queries);
    for ((line, before), after) in names.zip(&before).zip(&after) {
        assert_eq!(before, after, "{line}");
    }
    assert_eq!((status(), projections()), (stood, listed));
    for (((line, _), before), after) in strange.iter().zip(unheard).zip(unknown()) {
        assert_eq!(before, after, "{line}");
    }
    desk.run("show b2/1 --at 2").exits(1);
    let early = desk.run("batch show b2 --at 2").exits(1).err;
    assert!(early.contains("b2 came with #4, after #2"), "{early}");
    let now = desk.run("projection list --json").exits(0).json();
    let promoted = now["projections"].as_array().unwrap().iter();
    let promoted = promoted.filter(|line| line["name"] == "n" && line["promoted"] == true);
    assert_eq!(promoted.map(|line| line["version"].clone()).collect::<Vec<_>>(), [2]);
    let shown = desk.run("projection show n --at 3 --json").exits(0).json();
    assert_eq!((&shown["position"], &shown["version"]), (&3.into(), &1.into()));
    desk.run("show #3 --at 2").exits(1);
}

#[test]
fn an_export_has_the_form_that_its_name_speaks_of() {
    let desk = Desk::with_iv();
    for (file, begins) in [
        ("a.csv", "symbol,date"),
        ("a.json", "["),
        ("a.jsonl", "{"),
        ("a.parquet", "PAR1"),
        ("a.db", "SQLite format 3"),
        ("a.xlsx", "PK"),
        ("a.txt", "symbol,date"),
    ] {
        desk.run(&format!("export iv -O {file}")).exits(0);
        let bytes = std::fs::read(desk.path().join(file)).unwrap();
        assert!(bytes.starts_with(begins.as_bytes()), "{file}: {:?}", bytes.get(..30));
    }
    desk.run("export iv -O b.parquet -f csv").exits(0);
    assert!(std::fs::read(desk.path().join("b.parquet")).unwrap().starts_with(b"symbol,"));
}

#[test]
fn a_log_that_looks_back_names_the_position_and_root_of_then() {
    let desk = Desk::with_ledger();
    let root = |words: &str| {
        let log = desk.run(&format!("log --json{words}")).exits(0).json();
        (log["position"].clone(), log["log_root"].clone(), log["entries"].as_array().unwrap().len())
    };
    desk.run(&format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv"))).exits(0);
    let then = root("");
    desk.run("undo").exits(0);
    assert_ne!(root(""), then);
    assert_eq!(root(" --at #2"), then);
}

#[test]
fn conditions_are_the_same_over_an_empty_ledger() {
    let desk = Desk::with_ledger();
    let nothing = desk.run("screen atm_iv>0.1 --json").exits(0).json();
    assert_eq!(nothing["symbols"], 0);
    let (columns, filled) = (nothing["columns"].clone(), Desk::with_iv());
    assert_eq!(filled.run("screen atm_iv>0.1 --json").exits(0).json()["columns"], columns);
    assert!(desk.run("screen iv_rnk>0.1").exits(2).err.contains("no such column"));
    assert!(!filled.run("log --at 1").out.contains("earlier"));
}
