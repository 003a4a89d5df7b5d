.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Compiled once, every program starts in half the time: hundreds of them are started by the tests.
unexport PYTHONDONTWRITEBYTECODE PIP_NO_COMPILE

.PHONY: help demo test check lint types walls bandit audit collect bench chaos docs clean

help:  ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/.installed: pyproject.toml
	@echo "Setting up $(VENV), the first time only: a minute, more on a slow network"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[cloud,sim,dev]'
	touch $@

PORT ?= 8000
demo: $(VENV)/.installed  ## Start a small town and print what to open (PORT=8000)
	$(BIN)/passerelle demo --port $(PORT)

check: lint types walls bandit  ## Lint, types, walls, bandit

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/mypy

walls: $(VENV)/.installed
	$(BIN)/lint-imports

bandit: $(VENV)/.installed
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive cloud_api edge firmware_sim passerelle*.py

audit: $(VENV)/.installed  ## Ask the Internet for known weaknesses of what is installed
	$(BIN)/pip-audit --skip-editable

WORKERS ?= 3
test: $(VENV)/.installed  ## Everything that must hold: check, then all tests
	./.ci/system-packages
	$(MAKE) --no-print-directory --jobs 2 --output-sync check collect
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

collect: $(VENV)/.installed  ## Compile the tests, once for all workers, and import all of them
	$(BIN)/pytest --collect-only -qq >$(VENV)/collected || { cat $(VENV)/collected; exit 1; }

bench: $(VENV)/.installed  ## Print speeds as ratios side by side
	$(BIN)/python -m tests.bench

HOURS ?= 0.05
chaos: $(VENV)/.installed  ## Break everything for HOURS=0.05 and hold the counts to the truth (SEED=, SCENARIO="…, …")
	$(BIN)/python -m tests.chaos --hours $(HOURS) --seed "$(SEED)" --scenario "$(SCENARIO)"

docs: $(VENV)/.installed  ## Write the pages that are made from the code
	$(BIN)/passerelle docs

clean:  ## Remove what was made here
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
