# Everything a fresh machine needs: Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCHEDULE ?= data/schedules/startup-cny.yaml
WORKERS ?= 2

.PHONY: plan test check format calibrate bench bench-solvers campaign wheel clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

plan: $(VENV)/base  ## install, and plan the bundled example (SCHEDULE=path for another)
	$(BIN)/rentopt plan $(SCHEDULE)

test: $(VENV)/dev  ## run every test
	$(BIN)/python -m pytest -n $(WORKERS)

check: $(VENV)/dev  ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev  ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

calibrate: $(VENV)/dev  ## fit the constants of sizing to data/measured, write data/sizing
	$(BIN)/python -m optimizer.sizing.memory_calibration
	$(BIN)/python -m optimizer.sizing.calibration
	$(BIN)/python -m optimizer.sizing.training.calibrate

bench: $(VENV)/dev  ## time the main jobs, as ratios against peers in the same run
	$(BIN)/python tests/benchmarks/bench_plan.py
	$(BIN)/python tests/benchmarks/bench_mixes.py
	$(BIN)/python tests/benchmarks/bench_store.py
	$(BIN)/python tests/benchmarks/bench_aws_bulk.py
	$(BIN)/python tests/benchmarks/bench_sizing.py

bench-solvers: $(VENV)/dev  ## the solver table: our search against HiGHS, SCIP and CP-SAT (an hour or more)
	$(BIN)/python tests/benchmarks/bench_solvers.py

campaign: $(VENV)/dev  ## break every source, kill every writer; write docs/reliability.md
	$(BIN)/python tests/reliability/campaign.py

wheel: $(VENV)/dev  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rentopt needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/base

clean:  ## remove what the other targets made
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
