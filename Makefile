# Everything in two commands, on a fresh Debian 12 machine with Rust, as root: `make demo`, `make test`.

.PHONY: help demo test bench lint docs examples recipes clean

help:
	@echo "make demo      harden a real nginx and prove it"
	@echo "make test      format, lints, documentation, house checks and every test"
	@echo "make bench     measure beside peers; prints tables of ratios"
	@echo "make examples  build the images of the examples that every test run hardens"
	@echo "make recipes   build the images of all examples, harden them, and compare with the recipes"
	@echo "make docs      write derived documentation again"

demo:
	@scripts/demo

test:
	@scripts/test

bench:
	@scripts/bench

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs:
	cargo run --quiet --package xtask -- docs

examples:
	@scripts/setup images
	@for example in $$(cat examples/quick); do "examples/$$example/build" || exit 1; done

recipes:
	@scripts/recipes

clean:
	cargo clean
