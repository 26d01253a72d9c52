# `make` lists what can be made. Everything runs in .venv, which is made when it is missing or when requirements.lock
# has changed; with PYTHON=… it runs in that Python instead, and no environment is made.

# Set here, so that only make's command line changes them: some machines have a WORKSPACE or a NAME in the environment.
CONFIG = demo.yaml
PYTHON = .venv/bin/python
SPEECH =
NOISE =
RESPONSES =
WORKSPACE =
EXECUTOR =
WORKERS =
ARGS =
NAME =

ENVIRONMENT := $(if $(filter .venv/bin/python,$(PYTHON)),.venv/installed)

export RAY_USAGE_STATS_ENABLED ?= 0

# A config is looked for where it is said to be, then in configs/.
config = $(or $(wildcard $(CONFIG)),$(wildcard configs/$(CONFIG)),$(CONFIG))
quoted = '$(subst ','\'',$(1))'
option = $(if $($(2)),--$(1) $(call quoted,$($(2))))
options = $(call option,speech,SPEECH) $(call option,noise,NOISE) $(call option,responses,RESPONSES) \
	$(call option,workspace,WORKSPACE) $(call option,executor,EXECUTOR) $(call option,workers,WORKERS)

.DEFAULT_GOAL := help
.PHONY: help environment pipeline test lint format check benchmark clean clean-all

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

environment: $(ENVIRONMENT) ## Make .venv from requirements.lock (all others do so themselves)

.venv/installed: requirements.lock pyproject.toml
	@.ci/environment

pipeline: $(ENVIRONMENT) ## Run CONFIG (demo.yaml); SPEECH= NOISE= RESPONSES= WORKSPACE= EXECUTOR= WORKERS= ARGS=
	$(PYTHON) -m pipeline run $(call quoted,$(config)) --fetch $(strip $(options)) $(ARGS)

test: export HF_HUB_OFFLINE := 1
test: export HF_DATASETS_OFFLINE := 1
# Empty is unset to Python: what the first process has compiled, hundreds more read.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(ENVIRONMENT) ## Run the tests; ARGS='-k name' picks some
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(ENVIRONMENT) ## Check format, lint rules, types and import contracts
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m ruff check
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

format: $(ENVIRONMENT) ## Format the code and mend what the linter can mend
	$(PYTHON) -m ruff format
	$(PYTHON) -m ruff check --fix

check: lint test ## All that a change has to pass: lint, then test

benchmark: $(ENVIRONMENT) ## List the benchmarks; NAME=overhead ARGS= runs one
ifneq ($(NAME),)
	PYTHONPATH=. $(PYTHON) tests/benchmarks/$(NAME).py $(ARGS)
else
	@for file in $(sort $(wildcard tests/benchmarks/[a-z]*.py)); do echo "PYTHONPATH=. $(PYTHON) $$file"; done
endif

clean: ## Remove caches and build leftovers; runs and workspaces stay
	find . -name .venv -prune -o -path ./runs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist unanimous.egg-info

clean-all: clean ## As clean, and remove .venv too
	rm -rf .venv
