# Everything a fresh machine needs is made on the way: `make demo` and `make test` are enough.

# The first of these that is 3.11 or newer makes .venv; `make PYTHON=/path/to/python test` chooses another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$python" && break; done)
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo dev test check bench lock clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(READY) ## live a whole event on a stepped clock, in a minute or two
	$(BIN)/eventos demo $(ARGS)

dev: $(READY) ## the whole system on this machine, until Ctrl-C
	$(BIN)/eventos dev $(ARGS)

test: $(READY) ## every test, on as many processors as there are
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

check: $(READY) ## style, types, import rules, the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_rooms.py
	$(BIN)/python .ci/lock.py

bench: $(READY) ## the figures, with the machine's facts
	$(BIN)/python -m tests.benchmarks

lock: $(READY) ## resolve the dependencies anew
	$(BIN)/uv pip compile --universal --generate-hashes --extra dev --no-emit-index-url pyproject.toml -o requirements.lock

clean: ## forget the environment and what was built; the data of `make dev` stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer with venv and pip was found. Install one, or run: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; fi
	@[ -x $(BIN)/python ] || { echo "making .venv with $(PYTHON)"; rm -rf .venv; $(PYTHON) -m venv .venv; }
	@echo "installing what requirements.lock names"
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
