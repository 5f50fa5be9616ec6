# Two commands matter: `make demo` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-check test check bench soak browser format openapi clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv and install what requirements.lock names

$(STAMP): requirements.lock pyproject.toml setup.sh
	@PYTHON="$(PYTHON)" sh setup.sh $(VENV)
	@touch $(STAMP)

demo: setup ## Start everything on this machine (ARGS="--port 8123 --reset")
	@exec $(BIN)/furong demo $(ARGS)

demo-check: setup ## Start everything on free ports, walk the newborn story, stop
	@exec $(BIN)/furong demo --check

browser: setup
	@sh setup.sh --browser

test: setup browser ## Run every test (14 to 19 minutes on two cores)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not soak" $(ARGS)

check: setup ## Style, types, layers, pack, migrations, OpenAPI, messages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@$(BIN)/furong check packs/hunan
	@$(BIN)/furong check --project

bench: setup ## Measure every figure (each is python -m benchmarks.NAME [--quick])
	@for name in processes portal feel decisions catalogue opendata exchange exchange_modes population services search people; do $(BIN)/python -m benchmarks.$$name $(ARGS) || exit 1; done

soak: setup browser ## The long runs
	@$(BIN)/python -m pytest -n 0 -m soak $(ARGS)

format: setup ## Put the code into the house style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

openapi: setup ## Write docs/reference/openapi.json anew
	@$(BIN)/furong openapi --write

clean: ## Remove the demo's data (.furong) and caches, keep .venv
	@rm -rf .furong .mypy_cache .pytest_cache .ruff_cache .hypothesis
