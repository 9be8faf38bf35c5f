# SPDX-License-Identifier: Apache-2.0
# Short names for the usual commands; CMake and Ninja do the work (CMakePresets.json).
JOBS ?= $(shell nproc)
TEST_JOBS ?= 2
SECONDS ?= 60
RUNS ?=
LEDGER ?= embedded
MINUTES ?= 10
SEED ?=
ALL ?=
FUZZERS = $(patsubst fuzz/%_fuzz.cpp,%,$(wildcard fuzz/*_fuzz.cpp))
SOURCES = git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp'

.DEFAULT_GOAL := help
.PHONY: help setup run build test test-asan test-tsan soak fuzz format lint clean
.DELETE_ON_ERROR:

help: ## Print this list
	@echo "make TARGET [JOBS=$(JOBS)]"
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  %-10s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install the Debian packages that are missing (the other targets do so first)
	@tools/setup

# Ninja runs CMake again by itself when a CMakeLists.txt changes; the presets it does not know.
build/%/build.ninja: CMakePresets.json | setup
	@echo "configure: preset $*, in build/$*"
	@mkdir -p build
	@cmake --preset $* >build/$*.log 2>&1 || { cat build/$*.log; exit 1; }
	@touch $@

run: build/release/build.ninja ## Build bw, then play Figure 2 with real processes; LEDGER=ethereum: on a chain
	@echo "build: bw"
	@ninja -C build/release -j $(JOBS) --quiet bw
	@if [ "$(LEDGER)" = ethereum ]; then contracts/install build/contracts; fi
	@echo "run: examples/figure2 on the ledger '$(LEDGER)'"
	@/usr/bin/python3 examples/figure2/run.py --bw build/release/src/cli/bw --ledger "$(LEDGER)"

build: build/release/build.ninja ## Build everything
	@echo "build: everything, in build/release"
	@ninja -C build/release -j $(JOBS) --quiet

test: build ## Build everything, run every test
	@echo "test: ctest --preset release"
	@ctest --preset release -j $(TEST_JOBS) --output-on-failure

test-asan: build/asan/build.ninja ## The same under AddressSanitizer and UndefinedBehaviorSanitizer
	@echo "build: everything, in build/asan"
	@ninja -C build/asan -j $(JOBS) --quiet
	@echo "test: ctest --preset asan"
	@ctest --preset asan -j $(TEST_JOBS) --output-on-failure

test-tsan: build/tsan/build.ninja ## The same under ThreadSanitizer
	@echo "build: everything, in build/tsan"
	@ninja -C build/tsan -j $(JOBS) --quiet
	@echo "test: ctest --preset tsan"
	@ctest --preset tsan -j $(TEST_JOBS) --output-on-failure

soak: build ## Random steps, kills and partitions against a model, MINUTES=10 SEED=n; as root for partitions
	@echo "soak: tests/soak"
	@/usr/bin/python3 -B tests/soak/run.py --bw build/release/src/cli/bw --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

fuzz: build/fuzz/build.ninja ## Search for crashing inputs, SECONDS=60 or RUNS=10000000 for each fuzzer
	@echo "build: $(FUZZERS:%=%_fuzz), in build/fuzz"
	@ninja -C build/fuzz -j $(JOBS) --quiet $(FUZZERS:%=%_fuzz)
	@echo "fuzz: each for $(if $(RUNS),$(RUNS) executions or an hour,$(SECONDS) s)"
	@tools/fuzz build/fuzz "$(RUNS)" $(SECONDS) $(FUZZERS)

format: | setup ## clang-format on every source file
	@echo "format: clang-format-19"
	@$(SOURCES) | xargs clang-format-19 -i

lint: build ## clang-tidy on the files that differ from the last commit; ALL=1: on all
	@JOBS=$(JOBS) tools/lint build/release $(if $(ALL),all)

clean: ## Remove everything that was built
	@echo "clean: build/"
	@rm -rf build
