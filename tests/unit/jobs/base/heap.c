// Tests jobs/base/heap.c: what comes out is in order, whatever went in, moved or left.
// SPDX-License-Identifier: MIT
#include "jobs/base/heap.h"

#include "jobs/base/random.h"
#include "tests/unit/check.h"

#define NODES 500

static void nodes_come_out_by_due_time(void **state) {
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {0};
    struct random random = {3};
    for (int round = 0; round < 50; round++) {
        size_t in = 0;
        for (int i = 0; i < NODES; i++) {
            heap_set(&heap, &nodes[i], random_below(&random, 1000));
            if (random_next(&random) % 2)
                heap_set(&heap, &nodes[i], random_below(&random, 1000)); // moved
        }
        for (int i = 0; i < NODES; i += 3)
            heap_remove(&heap, &nodes[i]);
        for (int i = 0; i < NODES; i++)
            in += heap_holds(&nodes[i]);
        assert_int_equal(heap.count, in);
        int64_t last = -1;
        struct heap_node *node;
        while ((node = heap_pop_due(&heap, 2000))) {
            assert_true(node->due >= last);
            assert_false(heap_holds(node));
            last = node->due;
            in--;
        }
        assert_int_equal(in, 0);
    }
    heap_free(&heap);
}

static void nothing_comes_out_early(void **state) {
    (void)state;
    struct heap heap = {0};
    struct heap_node a = {0}, b = {0};
    heap_set(&heap, &a, 100);
    heap_set(&heap, &b, 50);
    assert_null(heap_pop_due(&heap, 49));
    assert_ptr_equal(heap_pop_due(&heap, 50), &b);
    assert_null(heap_pop_due(&heap, 99));
    heap_remove(&heap, &b); // not in: nothing happens
    assert_ptr_equal(heap_first(&heap), &a);
    heap_free(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_by_due_time),
        cmocka_unit_test(nothing_comes_out_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
