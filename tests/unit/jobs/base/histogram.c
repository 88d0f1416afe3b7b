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
    assert_null(h.values); // the memory for exact ones is given back
}

// The nearest rank, by its definition: as many values as it takes to be share of all.
static int64_t nearest_rank(const int64_t *sorted, int count, int percent) {
    int rank = (percent * count + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

static void below_a_thousand_they_are_exact(void **state) {
    (void)state;
    static int64_t values[HISTOGRAM_EXACT];
    struct random random = {5};
    for (int count = 1; count < HISTOGRAM_EXACT; count += count < 70 ? 1 : 83) {
        struct histogram h = {0};
        for (int i = 0; i < count; i++) {
            values[i] = (int64_t)exp(random_unit(&random) * 18);
            histogram_add(&h, values[i]);
        }
        qsort(values, (size_t)count, sizeof *values, by_size);
        for (int percent = 0; percent <= 100; percent++)
            assert_true(histogram_at(&h, percent / 100.0) == nearest_rank(values, count, percent));
        histogram_free(&h);
    }
}

static void merged_ones_stay_exact_while_they_are_few(void **state) {
    (void)state;
    struct histogram all = {0}, empty = {0};
    for (int part = 0; part < 3; part++) {
        struct histogram h = {0};
        for (int i = 0; i < 100; i++)
            histogram_add(&h, 100 * part + i + 1000003);
        histogram_merge(&all, &h);
        histogram_merge(&all, &empty);
        histogram_free(&h);
    }
    assert_true(histogram_at(&all, 0.5) == 1000003 + 149);
    assert_true(histogram_at(&all, 0.99) == 1000003 + 296);
    for (int i = 0; i < 4; i++)
        histogram_merge(&all, &(struct histogram){.count = {[200] = 200}, .total = 200});
    assert_null(all.values);
    assert_true(histogram_at(&all, 0.5) > 0);
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
    histogram_free(&h);
    histogram_free(&other);
    assert_true(histogram_at(&h, 0.5) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_close_to_exact),
        cmocka_unit_test(below_a_thousand_they_are_exact),
        cmocka_unit_test(merged_ones_stay_exact_while_they_are_few),
        cmocka_unit_test(edges_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
