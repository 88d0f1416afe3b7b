# Builds batch-run. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.

CC      ?= gcc
PREFIX  ?= /usr/local
DESTDIR ?=
MODE    ?= release
VERSION := 0.1.0

BUILD := build/$(MODE)
PACKAGES := libcurl libcjson libmicrohttpd

CFLAGS_release := -O2 -g
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSANITIZED
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer -DSANITIZED
CFLAGS_coverage := -O0 -g --coverage -DSANITIZED

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wno-format-nonliteral -Wpointer-arith -Wwrite-strings -Wvla -Werror=implicit-function-declaration
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DBATCH_RUN_VERSION='"$(VERSION)"' -I. $(WARNINGS) -pthread \
             -include jobs/base/banned.h $(CFLAGS_$(MODE)) $(shell pkg-config --cflags $(PACKAGES)) $(CFLAGS)
ALL_LIBS = $(LDFLAGS) $(shell pkg-config --libs $(PACKAGES)) -lcsv -lm -pthread

SOURCES := $(sort $(wildcard jobs/*.c jobs/*/*.c pool/*.c pool/*/*.c runner/*.c runner/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libbatch-run.a
PROGRAM := $(if $(filter release,$(MODE)),batch-run,$(BUILD)/batch-run)

UNIT_SOURCES := $(sort $(shell find tests/unit -name '*.c' 2>/dev/null))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/unit/%)

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAM)

$(PROGRAM): $(BUILD)/runner/main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LIBS)

$(LIBRARY): $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(ALL_LIBS) $(shell pkg-config --libs cmocka)

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do $$t || exit 1; done

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

.PHONY: clean
clean:
	rm -rf build batch-run

# Small programs that the end-to-end tests need: servers that lie, and the like.
TOOL_SOURCES := $(sort $(wildcard tests/tools/*.c))
TEST_TOOLS := $(TOOL_SOURCES:tests/tools/%.c=$(BUILD)/tools/%)

$(BUILD)/tools/%: tests/tools/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(LIBRARY) $(ALL_LIBS)

.PHONY: tools
tools: $(TEST_TOOLS)

test-suite: $(TEST_TOOLS)
test-suite: export TOOLS = $(abspath $(BUILD))/tools
compiled: $(TOOL_SOURCES:%.c=$(BUILD)/%.o)

-include $(TEST_TOOLS:=.d)
