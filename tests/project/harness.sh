#!/bin/bash
# tests/run.sh itself: counts, shows and fails as it says. Otherwise nothing it calls green means much.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

# script NAME: a test script from stdin.
script() {
    { echo '#!/bin/bash'; cat; } >"$1"
    chmod +x "$1"
}

script good.sh <<<'echo "ok one"; echo "ok two"; echo "chatter"'
script table.sh <<<'echo "| a | b |"; echo "ok one"; echo "a | b"'
script bad.sh <<<'echo "ok one"; echo "# why"; echo "not ok two"; exit 1'
script mute.sh <<<'echo "chatter"'
script crash.sh <<<'echo "ok one"; kill -SEGV $$'
script short.sh <<<'echo "1..3"; echo "ok 1 - one"'
script slow.sh <<<'echo "ok one"; sleep 60'
script lib_good.sh <<E2
. "$ROOT/tests/e2e/lib.sh"
t "right"; assert_eq 1 1
t "right too"; expect_exit 3 sh -c 'exit 3'
E2
script lib_bad.sh <<E2
. "$ROOT/tests/e2e/lib.sh"
t "wrong"; assert_eq 1 2
t "right"; assert_eq 1 1
E2
script lib_ends.sh <<E2
. "$ROOT/tests/e2e/lib.sh"
t "ends early"; exit 3
E2
script lib_unset.sh <<E2
. "$ROOT/tests/e2e/lib.sh"
t "uses what is not set"; echo "\$nothing"
E2

t "all green: a line per file, then the counts"
expect_exit 0 "$ROOT/tests/run.sh" "$WORK/good.sh" "$WORK/lib_good.sh"
assert_match "$OUT" '^ok .*good \(2\)$'
assert_not_contains "$OUT" chatter
assert_eq "4 passed, 0 failed" "$(tail -n 1 "$OUT")"
assert_lines "$OUT" 3

t "a table is shown though all is green"
expect_exit 0 "$ROOT/tests/run.sh" "$WORK/table.sh"
assert_contains "$OUT" "    | a | b |"
assert_lines "$OUT" 3

t "one red: its output is shown"
expect_exit 1 "$ROOT/tests/run.sh" "$WORK/good.sh" "$WORK/bad.sh"
assert_match "$OUT" '^FAILED .*bad$'
assert_contains "$OUT" "# why"
assert_eq "3 passed, 1 failed" "$(tail -n 1 "$OUT")"

# fails_once FILE PASSED REASON
fails_once() {
    TEST_TIMEOUT=${4:-60} expect_exit 1 "$ROOT/tests/run.sh" "$WORK/$1"
    assert_eq "$2 passed, 1 failed" "$(tail -n 1 "$OUT")"
    assert_contains "$OUT" "$3"
}

t "a script that says nothing, crashes, stops early or hangs is a failure"
fails_once mute.sh 0 "said nothing about any test"
fails_once crash.sh 1 "ended with status"
fails_once short.sh 1 "stopped after 1 of 3 tests"
fails_once slow.sh 1 "took longer than 1 seconds" 1

t "no tests at all are a failure"
expect_exit 1 "$ROOT/tests/run.sh"
assert_eq "0 passed, 0 failed" "$(cat "$OUT")"
expect_exit 1 "$ROOT/tests/run.sh" "$WORK/missing.sh"

t "the helpers notice a false assertion and a script that ends early"
fails_once lib_bad.sh 1 "value: '2' instead of '1'"
fails_once lib_ends.sh 0 "the script ended here with status 3"
fails_once lib_unset.sh 0 "unbound variable"

# Each of these must fail, and say so.
t "no assertion is blind"
printf '{"a":1}\n{"a":2}\n' >two.jsonl
: >empty
while IFS= read -r assertion; do
    script lib_one.sh <<E2
. "$ROOT/tests/e2e/lib.sh"
ln -s "$WORK/two.jsonl" "$WORK/empty" .
t "one"; $assertion
true # the script itself ends well: what fails is the assertion
E2
    expect_exit 1 "$ROOT/tests/run.sh" "$WORK/lib_one.sh"
done <<'ASSERTIONS'
assert_eq a b
assert_true what false
assert_contains two.jsonl nowhere
assert_contains missing a
assert_not_contains two.jsonl a
assert_match two.jsonl ^b
assert_no_match two.jsonl ^.
assert_lines two.jsonl 3
assert_empty two.jsonl
assert_empty missing
assert_empty <(echo something)
assert_same two.jsonl empty
assert_json two.jsonl 'map(.a)' '[1,3]'
assert_json two.jsonl 'nonsense(' '[1,2]'
assert_json missing . '[]'
expect_exit 0 false
expect_exit 1 true
LIMIT=1 expect_exit 0 sleep 5
wait_until 1 false || fail waited
ASSERTIONS

t "what a sanitizer finds is a failure, though nobody looks at the program's end"
cat >leak.c <<'C'
#include <stdlib.h>
int main(void) { return malloc(10) == (void *)1; }
C
gcc -fsanitize=address -o leak leak.c
script leaks.sh <<E2
"$WORK/leak" 2>/dev/null
echo "ok one"
E2
MODE=asan fails_once leaks.sh 1 "a sanitizer found something"
assert_contains "$OUT" LeakSanitizer

t "unit tests are counted, even those that keep silent or crash"
cat >unit.c <<'C'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void right(void **state) { (void)state; }
static void wrong(void **state) { (void)state; assert_int_equal(1, RESULT); }
static void skipped(void **state) { (void)state; skip(); }
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right), cmocka_unit_test(wrong), cmocka_unit_test(skipped)};
    freopen("/dev/null", "w", stdout);
    if (RESULT == 3)
        abort();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
C
for result in 1 2 3; do
    # shellcheck disable=SC2046 # a list of words
    gcc -DRESULT=$result -o unit$result unit.c $(pkg-config --cflags --libs cmocka)
done
expect_exit 0 "$ROOT/tests/run.sh" "$WORK/unit1"
assert_eq "2 passed, 0 failed" "$(tail -n 1 "$OUT")"
fails_once unit2 1 "0x1 != 0x2"
fails_once unit3 0 "ended with status 134"
