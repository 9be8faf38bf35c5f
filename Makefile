# SPDX-License-Identifier: Apache-2.0
# Short names for the usual commands; CMake and Ninja do the work (CMakePresets.json).
JOBS ?= $(shell nproc)
TEST_JOBS ?= 2
SECONDS ?= 60
ALL ?=
FUZZERS = $(patsubst fuzz/%_fuzz.cpp,%,$(wildcard fuzz/*_fuzz.cpp))
SOURCES = git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp'

.DEFAULT_GOAL := help
.PHONY: help setup run build test test-asan fuzz format lint clean
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

run: build/release/build.ninja ## Build bw, then play the paper's Figure 2 with real processes
	@echo "build: bw"
	@ninja -C build/release -j $(JOBS) --quiet bw
	@echo "run: examples/figure2"
	@/usr/bin/python3 examples/figure2/run.py --bw build/release/src/cli/bw

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

fuzz: build/fuzz/build.ninja ## Search for crashing inputs, SECONDS=60 for each fuzzer
	@echo "build: $(FUZZERS:%=%_fuzz), in build/fuzz"
	@ninja -C build/fuzz -j $(JOBS) --quiet $(FUZZERS:%=%_fuzz)
	@for name in $(FUZZERS); do \
	  echo "fuzz: $$name for $(SECONDS) s"; \
	  mkdir -p build/fuzz/found/$$name; \
	  build/fuzz/fuzz/$${name}_fuzz -max_total_time=$(SECONDS) -artifact_prefix=build/fuzz/found/ \
	    build/fuzz/found/$$name fuzz/corpus/$$name >build/fuzz/found/$$name.log 2>&1 || \
	    { tail -n 60 build/fuzz/found/$$name.log; exit 1; }; \
	  tail -n 1 build/fuzz/found/$$name.log; \
	done

format: | setup ## clang-format on every source file
	@echo "format: clang-format-19"
	@$(SOURCES) | xargs clang-format-19 -i

lint: build ## clang-tidy on the files that differ from the last commit; ALL=1: on all
	@JOBS=$(JOBS) tools/lint build/release $(if $(ALL),all)

clean: ## Remove everything that was built
	@echo "clean: build/"
	@rm -rf build
