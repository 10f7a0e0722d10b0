#!/usr/bin/env bash
# Fuzzes everything that reads bytes, each target for a while:
#   tests/fuzz/run.sh             30 seconds each
#   tests/fuzz/run.sh 600 csv     10 minutes of one target
# Needs the nightly toolchain and `cargo install cargo-fuzz`. What crashes a target stays in
# tests/fuzz/artifacts; the exit code says whether there was any. Once mended, it moves to
# tests/fuzz/found, which tests/fuzzed.rs runs with every other test.
set -uo pipefail
cd "$(dirname "$0")"

seconds="${1:-30}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls targets | sed 's/\.rs$//')
# Everything but C libraries is safe Rust: without a sanitizer it runs several times faster.
flags=(--sanitizer none --fuzz-dir .)

cargo +nightly run --locked --quiet --example seeds -- corpus || exit 1
cargo +nightly fuzz build "${flags[@]}" || exit 1
failed=0
for target in "${targets[@]}"; do
    log="$(mktemp)"
    cargo +nightly fuzz run "${flags[@]}" "$target" -- -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 >"$log" 2>&1
    code=$?
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    printf '%-12s %12s runs, exit %s\n' "$target" "${runs:-?}" "$code"
    if [ "$code" -ne 0 ]; then
        failed=1
        tail -n 40 "$log"
    fi
    rm -f "$log"
done
exit "$failed"
