# Each target creates the environment it needs in .venv; a second run reuses it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= reproduction
# The optional extra of the studies that train networks. Name another build if this one is not for your machine.
TORCH ?= torch==2.13.0
# Processes that tests start load compiled modules; compiling them again each time takes a fifth of the tests' time.
unexport PYTHONDONTWRITEBYTECODE
# Two processes; a module stays in one of them, so that its fixtures are made once.
PARALLEL := -n 2 --dist loadscope
# Checks of accessibility for the tests of pages, in a folder of their own; no part of the package.
AXE_VERSION := 4.14.1
AXE := .npm/node_modules/axe-core/axe.min.js

.PHONY: help reproduce quick studies torch axe test test-portable slow full lint notebooks docs benchmarks clean

help:
	@echo "make reproduce      simulate, write figures, tables and $(OUT)/index.html"
	@echo "make test           run the tests"
	@echo "make test-portable  the tests on other BLAS kernels, instruction sets, versions and Pythons, and of the wheel"
	@echo "make quick          the same with a small budget, into $(OUT)-quick"
	@echo "make studies        the full report with the case studies, about half an hour"
	@echo "make torch          install torch, the optional extra with which studies train networks"
	@echo "make axe            install axe-core with npm, for the tests of pages"
	@echo "make slow           the long statistical tests, at CI's budget"
	@echo "make full           the long statistical tests, at full budget"
	@echo "make lint           format, lint and type checks"
	@echo "make notebooks      execute the notebooks with a quick budget"
	@echo "make docs           build the documentation site and check its links: docs/_build/html/index.html"
	@echo "make benchmarks     speed side by side with peers, 90 minutes; less: BENCHMARKS='--only dominance', BENCHMARKS=--list"

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "moltheory needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $(VENV)/.installed $@

$(VENV)/.installed-peers: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,peers]"
	@touch $(VENV)/.installed $(VENV)/.installed-dev $@

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	@touch $(VENV)/.installed $@

reproduce: $(VENV)/.installed
	$(BIN)/moltheory reproduce --out $(OUT)

quick: $(VENV)/.installed
	$(BIN)/moltheory reproduce --quick --out $(OUT)-quick

studies: $(VENV)/.installed
	$(BIN)/moltheory reproduce --studies --out $(OUT)

torch: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"

# Without npm, or without a network, the tests that need it say that they are skipped.
axe:
	@if [ -f $(AXE) ] && grep -q 'axe v$(AXE_VERSION)$$' $(AXE); then :; \
	elif ! command -v npm >/dev/null; then echo "npm is missing: the accessibility tests of pages will be skipped."; \
	else mkdir -p .npm && npm install --prefix .npm --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
		--loglevel=error axe-core@$(AXE_VERSION) || echo "axe-core could not be installed: its tests will be skipped."; fi

test: $(VENV)/.installed-dev axe
	$(BIN)/python -m pytest $(PARALLEL)

test-portable: $(VENV)/.installed-dev
	$(BIN)/python -m tests.portable $(PORTABLE)

slow: $(VENV)/.installed-dev axe
	$(BIN)/python -m pytest -m slow $(PARALLEL)

full: $(VENV)/.installed-dev
	MOLTHEORY_FULL=1 $(BIN)/python -m pytest -m slow $(PARALLEL)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

notebooks: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m notebook -n 2 tests/notebooks

# Every warning is an error, and every link inside of the site must lead somewhere.
docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -q -W --keep-going -n -b html docs docs/_build/html
	$(BIN)/python docs/_ext/check_site.py docs/_build/html

# A run that is interrupted goes on where it stopped; a busy machine is said in the results.
benchmarks: $(VENV)/.installed-peers
	$(BIN)/python -m benchmarks $(BENCHMARKS)
	$(BIN)/python -m benchmarks --page

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest $(VENV)-wheel build dist src/*.egg-info src/moltheory/_core/_version.py .mypy_cache .ruff_cache .pytest_cache .hypothesis .npm
