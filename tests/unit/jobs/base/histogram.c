// Tests jobs/base/histogram.c: percentiles stay within a bucket of the exact ones.
// SPDX-License-Identifier: MIT
#include "jobs/base/histogram.h"

#include "jobs/base/random.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>

#define VALUES 20000

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void percentiles_are_close_to_exact(void **state) {
    (void)state;
    static int64_t values[VALUES];
    struct histogram h = {0};
    struct random random = {11};
    for (int i = 0; i < VALUES; i++) {
        values[i] = (int64_t)exp(random_unit(&random) * 20); // 1 µs to 8 minutes
        histogram_add(&h, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_size);
    for (double share = 0.01; share < 1; share += 0.01) {
        double exact = (double)values[(int)(share * VALUES)];
        double found = (double)histogram_at(&h, share);
        assert_true(fabs(found - exact) <= exact * 0.07 + 1);
    }
    assert_true(h.max == values[VALUES - 1]);
    assert_true(histogram_at(&h, 1) <= h.max);
}

static void edges_hold(void **state) {
    (void)state;
    struct histogram h = {0}, other = {0};
    assert_true(histogram_at(&h, 0.5) == 0);
    histogram_add(&h, -5);
    histogram_add(&h, 0);
    histogram_add(&h, INT64_MAX);
    assert_true(histogram_at(&h, 0) == 0);
    assert_true(h.max == INT64_MAX);
    histogram_add(&other, 1000);
    histogram_merge(&h, &other);
    assert_true(h.total == 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_close_to_exact),
        cmocka_unit_test(edges_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
