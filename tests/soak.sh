#!/bin/sh
# The long run of the tests that injure a ledger, in the numbers that a release should have seen.
#
#   tests/soak.sh            everything, hours (set VOLLEDGER_SOAK_PROFILE=--release to build that)
#   tests/soak.sh kills      one part: kills, disk, histories, bytes, calls, together, seeds
#
# It stops at the first part that fails. A single history is repeated with VOLLEDGER_SEED=number.
set -eu
cd "$(dirname "$0")/.."
part=${1:-all}

run() { # name, VOLLEDGER_SOAK, tests
    name=$1 soak=$2
    shift 2
    case $part in all | "$name") ;; *) return 0 ;; esac
    echo "== $name: VOLLEDGER_SOAK=$soak $*"
    # shellcheck disable=SC2086
    VOLLEDGER_SOAK=$soak cargo test --locked ${VOLLEDGER_SOAK_PROFILE:-} --test all -- --nocapture "$@"
}

case $part in
all | kills | disk | histories | bytes | calls | together | seeds) ;;
*) echo "there is no part $part" >&2 && exit 2 ;;
esac

# 500 kills in each of six operations: 3,000.
run kills 500 crash::kill_9
# 250 in an import of 100,000 rows.
run kills 500 crash::a_large
# 50,000 histories on the disk that forgets, tears and fails.
run disk 50000 faults::a_thousand
run disk 1 faults::every_operation
# Ten times 2,000 random histories against the oracle.
run histories 10 laws::random_histories laws::more_random laws::long_histories \
    laws::histories_on_disk laws::projections
# Every written byte of every file of a small ledger, every boundary, every file.
run bytes 1 hurt:: laws::every_changed_byte laws::a_value_forged
# Every system call of a commit, a staging and a rollback.
run calls 1 syscalls::
# Eight processes, 40 rounds each.
run together 40 together::
# 300,000 changed seeds for each fuzzing target, without a fuzzer.
run seeds 200 fuzzed::changed
