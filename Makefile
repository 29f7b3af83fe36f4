# `make help` lists the targets. `make demo` and `make test` set up all that they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup lock format check lint unit test soak demo lab-up lab-down clean

help: ## what each target does
	@grep -hE '^[a-z-]+%?:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: build/.venv-stamp ## everything that the other targets need, the container engine included
	@lab/bin/setup-engine

build/.venv-stamp: requirements/dev.txt pyproject.toml
	@test -x $(PY) || python3 -m venv $(VENV)
	@$(PY) -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p build && touch $@

lock: build/.venv-stamp ## resolve the versions again and write requirements/*.txt, with hashes
	@lab/bin/lock

format: build/.venv-stamp ## let ruff format and mend what it can
	@ruff format . && ruff check --fix .

unit: build/.venv-stamp
	@pytest -q -n 2 tests/unit tests/contract tests/workflows

bench-%: setup ## bench-runtime, bench-cold: our figures beside the peers', into build/bench/*.json
	@$(PY) -m benchmarks.$(subst -,_,$*)

clean: ## remove what was built (the lab must be down)
	@rm -rf build .aws-sam .mypy_cache .ruff_cache .pytest_cache
