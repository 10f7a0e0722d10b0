//! What the arguments understand, and what their helps say.

use super::*;
use clap::CommandFactory;

#[test]
fn the_words_fit_together() {
    Cli::command().debug_assert();
}

/// Clap folds what is wider than its page, in the middle of an example or a sentence.
#[test]
fn no_help_is_wider_than_its_page() {
    fn look(command: &clap::Command) {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
        }
        command.get_subcommands().for_each(look);
    }
    look(&Cli::command());
}

#[test]
fn every_command_s_help_has_an_example() {
    fn has(command: &clap::Command) -> bool {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        text.starts_with("EXAMPLES\n  volledger ") || command.get_subcommands().any(has)
    }
    for command in Cli::command().get_subcommands() {
        assert!(has(command), "{}", command.get_name());
    }
}

#[test]
fn the_contract_s_lines_are_understood() {
    for line in [
        "init",
        "-L here init --json",
        "tour --keep there",
        "import iv a.csv b.csv --symbol-from name --dry-run --full",
        "import iv - -s AAPL --yes",
        "import spot f.csv -s brk.b -y --overlap keep --mapping mine.toml",
        "import hv f.csv -s X --again --reason restated --stage-only",
        "import index VIX.csv -s VIX",
        "import tomic dir --snapshot --force",
        "fetch spot AAPL brk.b --years 5 --yes --max-change-points 5 --max-rejected 10",
        "fetch spot @watchlist.txt --from 2024-01-01 --to 2024-12-31 --refresh",
        "fetch bars AAPL --timespan 5minute --days 10 --requests-per-minute 0",
        "fetch chain AAPL --expiry 2025-12-19 --base-url http://127.0.0.1:1 --stage-only",
        "fetch contracts QQQ --date 2025-05-15",
        "fetch index I:VIX --json",
        "fetch news AAPL --days 30",
        "fetch calendar --dry-run",
        "fetch spot AAPL --overlap keep --again --reason restated",
        "derive hv",
        "sql --tables",
        "chart iv AAPL --field skew --field atm_iv --from 2024-01-01 --first",
        "chart all AAPL --svg a.svg --html a.html --json",
        "chart rank AAPL --at #3",
        "chart gaps AAPL --series iv",
        "heatmap AAPL MSFT --by month --metric atm_iv --limit 0 --svg h.svg",
        "screen atm_iv>0.5 AAPL --date 2025-12-12",
        "rank AAPL --date 2025-12-12 --json",
        "rank --first --at #3",
        "snapshot --at 2024-12-31",
        "snapshot AAPL --at 2024-12-31 --first",
        "screen atm_iv>0.5 --first",
        "overview",
        "overview AAPL CVX --rules windowed --date 2025-12-05 --at #3 --first --json",
        "overview --list-rules --rules mine.toml",
        "overview --print-rules",
        "sql SELECT --at #3 --json",
        "import earnings a.csv b.csv --symbol-from column --yes",
        "import moves a.csv --stage-only",
        "import straddles - --yes",
        "import spot f.csv --symbol-from column --mapping event-closes",
        "earnings AAPL --date 2025-12-12 --at #3 --first --json",
        "vrp AAPL brk.b --date 2025-12-06 --projection earnings_moves@1",
        "vrp scan --date 2025-12-10 --tiers balanced --json",
        "vrp list AAPL,MSFT TSLA --at #3",
        "derive iv AAPL MSFT --yes",
        "check f.csv",
        "batch list --at #3",
        "batch diff b2 --full --at #3",
        "projection list --at #3",
        "batch show 7 --json",
        "batch diff b7 --full --exit-code",
        "batch confirm b7 --expect 5be0 --no-input",
        "batch discard b7 --plan",
        "batch rollback b7 --reason wrong --plan",
        "batch reinstate b7",
        "batch replay b7 --mapping mc-iv-basic",
        "batch export b7 f.bundle",
        "batch import f.bundle",
        "undo --plan",
        "redo",
        "rollback --to 2024-01-01 --reason x",
        "view iv AAPL MSFT --from 2024-01-01 --to 2024-02-01 --columns atm_iv,skew --first",
        "why iv AAPL 2024-08-05 atm_iv --at 3",
        "diff 1 #2 --series iv --symbol AAPL",
        "diff rich@1 rich@2 --exit-code",
        "coverage",
        "coverage AAPL TSLA --date 2025-12-12 --at #3 --first --json",
        "gaps AAPL -o jsonl",
        "gaps AAPL --first --at 2",
        "log -o csv",
        "log --audit --actor ann --since 2025-01-01 --html f --json",
        "show b7/3",
        "status -q -v",
        "status --at 2024-12-31 --json",
        "show b7/3 --at #12",
        "verify --deep",
        "verify --against f --key a+b+c",
        "key new --name example.com/vol -O k --json",
        "checkpoint sign -O f --key-file k",
        "checkpoint list --json",
        "prove b7/3 -O f",
        "prove #12 -O f --checkpoint c",
        "prove --consistency #5 #9 -O f",
        "verify-proof f --key a+b+c",
        "export tomic dir AAPL",
        "export iv AAPL -f jsonl -O out.jsonl",
        "export iv AAPL -f parquet -O out.parquet --first",
        "export all AAPL --series iv,hv --from 2024-01-01 --at #3 --first -f parquet -O d",
        "export tomic dir --first",
        "backup f",
        "restore f dir",
        "recover dir new --json",
        "recover dir --dry-run",
        "projection list",
        "projection rebuild iv",
        "projection verify hv",
        "config show --json",
        "erase b7/3 b9 --reason x --plan",
        "erase b9 --reason x --yes --json",
        "retention apply --dry-run",
        "retention apply -y",
        "config path",
        "menu --lang nl",
        "serve --port 0 --allow-decisions --allow-host desk.lan",
        "completions bash",
        "man batch confirm",
    ] {
        let words = ["volledger"].into_iter().chain(line.split(' '));
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{line}: {error}");
        }
    }
    for line in [
        "chart bars AAPL",
        "",
        "view",
        "view vol AAPL",
        "vrp",
        "vrp list",
        "earnings",
        "prove -O f",
        "prove b7/3 --consistency #1 #2 -O f",
        "verify-proof f",
        "verify --key a+b+c",
        "batch show x",
        "import iv",
        "log --json -o csv",
        "log --actor ann",
        "erase b9",
        "erase --reason x",
        "erase b9 --reason x --plan --yes",
    ] {
        let words = ["volledger"].into_iter().chain(line.split(' ').filter(|w| !w.is_empty()));
        assert!(Cli::try_parse_from(words).is_err(), "{line}");
    }
}
