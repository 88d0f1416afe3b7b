# Builds batch-run. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX  ?= /usr/local
DESTDIR ?=
MODE    ?= release
BUILD   ?= build/$(MODE)
VERSION := 0.1.0
FUZZ_SECONDS   ?= 3600
COVERAGE_FLOOR ?= 90
KILLS          ?= 200

PACKAGES := libcurl libcjson libmicrohttpd zlib libzstd

CFLAGS_release := -O3 -g
CFLAGS_plain := -O2 -g -DPLAIN_MALLOC
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSANITIZED
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer -DSANITIZED
CFLAGS_coverage := -O0 -g --coverage -DSANITIZED
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSANITIZED

# Asked for when first needed, and once: the Makefile is read before the packages are there.
package_cflags = $(eval package_cflags := $$(shell pkg-config --cflags $(PACKAGES)))$(package_cflags)
package_libs = $(eval package_libs := $$(shell pkg-config --libs $(PACKAGES)))$(package_libs)
cmocka_libs = $(eval cmocka_libs := $$(shell pkg-config --libs cmocka))$(cmocka_libs)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wno-format-nonliteral -Wpointer-arith -Wwrite-strings -Wvla -Werror=implicit-function-declaration
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DBATCH_RUN_VERSION='"$(VERSION)"' -I. $(WARNINGS) -pthread \
             -include jobs/base/banned.h $(CFLAGS_$(MODE)) $(package_cflags) $(CFLAGS)
ALL_LIBS = $(LDFLAGS) $(package_libs) -lcsv -lm -pthread

SOURCES := $(sort $(wildcard jobs/*.c jobs/*/*.c pool/*.c pool/*/*.c runner/*.c runner/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libbatch-run.a
PROGRAM := $(if $(filter build/release,$(BUILD)),batch-run,$(BUILD)/batch-run)

UNIT_SOURCES := $(sort $(shell find tests/unit -name '*.c' 2>/dev/null))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/unit/%)
TOOL_SOURCES := $(sort $(wildcard tests/tools/*.c))
PRELOADED := $(BUILD)/tools/faults.so
TOOLS := $(filter-out $(PRELOADED:.so=),$(TOOL_SOURCES:tests/tools/%.c=$(BUILD)/tools/%)) $(PRELOADED)
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_TARGETS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/targets/%)
E2E_TESTS := $(sort $(filter-out tests/e2e/lib.sh,$(wildcard tests/e2e/*.sh)))
# What is about the tree and the pages, not about the code: once, with the program users get.
PROJECT_TESTS := $(sort $(wildcard tests/docs/*.sh tests/project/*.sh))
SUITE = $(UNIT_TESTS) $(E2E_TESTS) $(if $(filter release,$(MODE)),$(PROJECT_TESTS))

PAGES := build/share/batch-run.1.gz build/share/batch-run.bash build/share/_batch-run \
         build/share/batch-run.fish

# A make within make: with all cores, unless the outer one was told how many.
SUBMAKE = $(MAKE) --no-print-directory \
          $(if $(filter --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
# make V=1 shows whole commands.
SAY = $(if $(V),,@echo "  $(1)";)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

.PHONY: all
all: $(PROGRAM) $(if $(filter batch-run,$(PROGRAM)),pages) ## build ./batch-run, its manual page and completions
	@:

$(PROGRAM): $(BUILD)/runner/main.o $(LIBRARY)
	$(call SAY,LD $@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LIBS)

$(LIBRARY): $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
	@rm -f $@
	$(call SAY,AR $@)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(ALL_LIBS) $(cmocka_libs)

# Programs that end-to-end tests play with.
$(BUILD)/tools/%: tests/tools/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(ALL_LIBS)

$(BUILD)/tools/h2: ALL_LIBS += -lgnutls # which libmicrohttpd's package brings

# Objects that stand between a program and libc.
$(BUILD)/tools/%.so: tests/tools/%.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

$(BUILD)/targets/%: tests/fuzz/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(LIBRARY) $(ALL_LIBS)

# The manual page and the completions come out of the program itself.
.PHONY: pages
pages: $(PAGES)

build/share/batch-run.1.gz: $(PROGRAM)
	@mkdir -p $(@D)
	@./$(PROGRAM) help manual > build/share/batch-run.1 && gzip -9nc build/share/batch-run.1 > $@
build/share/batch-run.bash: $(PROGRAM)
	@mkdir -p $(@D)
	@./$(PROGRAM) completion bash > $@
build/share/_batch-run: $(PROGRAM)
	@mkdir -p $(@D)
	@./$(PROGRAM) completion zsh > $@
build/share/batch-run.fish: $(PROGRAM)
	@mkdir -p $(@D)
	@./$(PROGRAM) completion fish > $@

.PHONY: run
run: ## install what is missing, build, run a first batch against the simulator
	@tests/setup.sh run
	@$(SUBMAKE) all
	@$(MAKE) --no-print-directory first-batch

# The results stay between calls: stopped with Ctrl-C or killed, the next call goes on.
.PHONY: first-batch
first-batch:
	@echo
	@echo "A first batch. Results go to first.results.jsonl; stop it with Ctrl-C and call it again to"
	@echo "go on, or start afresh with: rm first.results.jsonl"
	@echo
	@echo '$$ ./batch-run samples/first.jsonl --provider simulate --simulate "--latency lognormal:250ms,0.4" -o first.results.jsonl'
	@./batch-run samples/first.jsonl --provider simulate --simulate "--latency lognormal:250ms,0.4" \
	    -o first.results.jsonl

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	@tests/setup.sh test

.PHONY: test
test: deps ## install what is missing, build, run all tests
	@$(SUBMAKE) warnings
	@$(SUBMAKE) all
	@$(SUBMAKE) test-suite

.PHONY: test-suite
test-suite: $(PROGRAM) $(UNIT_TESTS) $(TOOLS)
	@BATCH_RUN=$(abspath $(PROGRAM)) TOOLS=$(abspath $(BUILD)/tools) MODE=$(MODE) tests/run.sh $(SUITE)

.PHONY: unit
unit: $(UNIT_TESTS) ## the unit tests alone
	@MODE=$(MODE) tests/run.sh $(UNIT_TESTS)

# The whole program, tests included, without a warning under both compilers.
.PHONY: warnings
warnings:
	@$(MAKE) --no-print-directory CC=gcc BUILD=build/warnings-gcc CFLAGS=-Werror compiled
	@$(MAKE) --no-print-directory CC=clang BUILD=build/warnings-clang CFLAGS=-Werror compiled

.PHONY: compiled
compiled: $(OBJECTS) $(UNIT_SOURCES:%.c=$(BUILD)/%.o) $(TOOL_SOURCES:%.c=$(BUILD)/%.o) \
          $(FUZZ_SOURCES:%.c=$(BUILD)/%.o)

.PHONY: san
san: deps ## the whole suite under AddressSanitizer, UBSan and ThreadSanitizer
	@echo "AddressSanitizer and UndefinedBehaviorSanitizer"
	@$(SUBMAKE) test-suite MODE=asan
	@echo "ThreadSanitizer"
	@$(SUBMAKE) test-suite MODE=tsan

.PHONY: coverage
coverage: deps ## the whole suite, then how much of jobs/ and pool/ it has run; fails below 90 %
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(SUBMAKE) test-suite MODE=coverage
	@tests/coverage.sh build/coverage $(COVERAGE_FLOOR)

.PHONY: fuzz
fuzz: ## whatever reads foreign bytes, fed any bytes, for ten seconds each
	@tests/setup.sh fuzz
	@$(SUBMAKE) fuzz-targets MODE=fuzz CC=clang
	@tests/fuzz/run.sh 10 $(FUZZ_SOURCES:tests/fuzz/%.c=build/fuzz/targets/%)

.PHONY: fuzz-long
fuzz-long: ## the same for FUZZ_SECONDS each (an hour), going on from what was found
	@tests/setup.sh fuzz
	@$(SUBMAKE) fuzz-targets MODE=fuzz CC=clang
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_SOURCES:tests/fuzz/%.c=build/fuzz/targets/%)

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)

.PHONY: torture
torture: deps ## every read, write, sync, allocation and thread start made to fail in turn; 200 kills
	@$(SUBMAKE) MODE=plain torture-suite

# With libcurl's memory from malloc, so that each of its allocations can be made to fail.
.PHONY: torture-suite
torture-suite: $(PROGRAM) $(TOOLS)
	@MODE=release BATCH_RUN=$(abspath $(PROGRAM)) TOOLS=$(abspath $(BUILD)/tools) TORTURE=1 KILLS=$(KILLS) TEST_JOBS=1 \
	    TEST_TIMEOUT=3600 tests/run.sh tests/e2e/faults.sh tests/e2e/kills.sh

.PHONY: clients
clients: $(PROGRAM) ## the providers' own client libraries (npm) against the simulator
	@BATCH_RUN=$(abspath $(PROGRAM)) tests/clients/run.sh

.PHONY: valgrind
valgrind: ## look for leaks in a run of 200 rows
	@tests/setup.sh valgrind
	@$(SUBMAKE) all
	@BATCH_RUN=$(abspath $(PROGRAM)) tests/valgrind.sh

BENCH_TOOLS := build/bench/bare_multi build/bench/measure

build/bench/%: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LIBS)

.PHONY: bench
bench: ## compare with other clients on this machine; QUICK=1 takes a minute
	@tests/setup.sh bench
	@tests/bench/install.sh
	@$(SUBMAKE) -s all $(BENCH_TOOLS)
	@BATCH_RUN=$(abspath $(PROGRAM)) python3 tests/bench/bench.py $(if $(QUICK),--quick) \
	    $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-resume
bench-resume: ## the time to read back ROWS results (5 million) beside wc -l, and the memory
	@tests/setup.sh test
	@tests/bench/resume.sh $(ROWS)

.PHONY: lint
lint: ## the rules of the house: includes, first lines, lengths, format
	@tests/lint.sh

.PHONY: format
format: ## lay out all sources with clang-format
	@clang-format -i $$(find jobs pool runner tests -name '*.[ch]')

.PHONY: map
map: ## the first sentence of every file: the source tour
	@tests/map.sh

.PHONY: install
install: all ## put program, manual page and completions under PREFIX (and DESTDIR)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/batch-run
	install -D -m 644 build/share/batch-run.1.gz $(DESTDIR)$(PREFIX)/share/man/man1/batch-run.1.gz
	install -D -m 644 build/share/batch-run.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/batch-run
	install -D -m 644 build/share/_batch-run $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_batch-run
	install -D -m 644 build/share/batch-run.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/batch-run.fish

.PHONY: uninstall
uninstall: ## take them away again
	rm -f $(DESTDIR)$(PREFIX)/bin/batch-run
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/batch-run.1.gz
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/batch-run
	rm -f $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_batch-run
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/batch-run.fish

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build batch-run

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(UNIT_SOURCES:%.c=$(BUILD)/%.d) \
         $(TOOLS:=.d) $(TOOL_SOURCES:%.c=$(BUILD)/%.d) $(FUZZ_TARGETS:=.d) \
         $(FUZZ_SOURCES:%.c=$(BUILD)/%.d)
