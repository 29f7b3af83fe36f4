# `make help` lists the targets. `make demo` and `make test` set up all that they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup lock format check lint unit test soak demo clean

help: ## what each target does
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: build/.venv-stamp ## everything that the other targets need, a container engine included
	@lab/bin/setup-engine

build/.venv-stamp: requirements/dev.txt requirements/uv.txt pyproject.toml
	@lab/bin/setup-system
	@test -x $(PY) || python3 -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt requirements/uv.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p build && touch $@

demo: setup ## the whole product on this machine, on this repository's own history (CHAPTER=changes for one)
	@$(PY) -m lab.demo $(CHAPTER)

test: setup ## every test and every judge; under 30 minutes on 2 cores
	@tests/run

check: build/.venv-stamp ## the fast offline part of the tests: format, types, unit, contracts, workflows
	@tests/run check

lint: build/.venv-stamp ## every judge of templates, state machines, policies, workflows and code, offline
	@$(PY) -m lab.lint

format: build/.venv-stamp ## let ruff format and mend what it can
	@ruff format . && ruff check --fix .

soak: setup ## long searches; a short seeded run of each is part of `make test`
	@tests/run soak

bench-%: setup ## bench-runtime: our figures beside the peers', printed and into build/bench/*.json
	@$(PY) -m benchmarks.$(subst -,_,$*)

lock: build/.venv-stamp ## resolve the versions again and write requirements/*.txt, with hashes
	@lab/bin/lock

clean: ## remove what was built (the lab must be down)
	@rm -rf build .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
