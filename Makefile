# Needs Python ≥ 3.11 and make, nothing else. Another Python: make PYTHON=python3.12 setup
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.peermatch-setup

# One thread a process: pytest runs one process a core, and the figures of `make bench` are per core.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

# The installations of the tests lie in memory where there is room: half of the time goes into waiting for a disk else.
ifeq ($(shell [ "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null && echo yes),yes)
export PYTEST_DEBUG_TEMPROOT := /dev/shm
endif

.DEFAULT_GOAL := help
.PHONY: help setup test test-deep coverage openapi demo bench bench-market clean

help: ## show this help
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: $(STAMP) ## install Peermatch and its tools into .venv; does nothing when nothing changed

$(STAMP): pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Peermatch needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 setup")'
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

test: $(STAMP) ## what CI runs: ruff, mypy --strict, import-linter, pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --ignore tests/service
	$(BIN)/pytest --numprocesses auto tests/service

test-deep: $(STAMP) ## the same properties at full counts; takes long
	HYPOTHESIS_PROFILE=deep PEERMATCH_DEEP=1 $(BIN)/pytest --numprocesses auto

# The library's tests alone must cover the library; measuring makes them take half as long again.
coverage: $(STAMP) ## which lines and branches of the library its own tests reach
	$(BIN)/pytest --numprocesses auto --ignore tests/service --cov --cov-report term

openapi: $(STAMP) ## rewrite docs/openapi.json and the schema of GET /v1/programme from the code
	$(BIN)/python -m service.api > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	$(BIN)/python -m service.api programme > docs/schemas/programme.json.new && mv docs/schemas/programme.json.new docs/schemas/programme.schema.json

demo: $(STAMP) ## generate a cohort, train, serve, match over HTTP and print the shortlist
	$(BIN)/python examples/demo.py

bench: $(STAMP) ## measure speed and memory; prints the figures and writes var/bench/
	$(BIN)/python -m benchmarks

bench-market: $(STAMP) ## simulate 60 days of a market under four orders; prints the figures and writes var/bench/
	$(BIN)/python -m benchmarks market

clean: ## remove caches, builds and what demo and bench wrote; keeps .venv and the rest of var/
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf var/demo var/bench
	find . -path ./.venv -prune -o -type d -name __pycache__ -exec rm -rf {} +
