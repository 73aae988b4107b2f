# Everything that a clone needs is python3 (3.11 or newer), git and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BENCH ?= orders
MINUTES ?= 10
FUZZ ?= --inputs 50000
SEEDS ?= 1 2 3 4 5

.DEFAULT_GOAL := help
.PHONY: help install demo test unit system-test install-test lint chaos soak fuzz bench model pictures lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Install oneorder and its tools into .venv, as the lock says

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP) ## Run the main job end to end and compare it with the exchange's ledger
	$(BIN)/oneorder demo

test: lint ## Run lint, types and all tests but those of system-test and install-test
	$(BIN)/python -m pytest -n 2 --dist loadgroup

unit: $(STAMP) ## Run the quick tests only, without real processes
	$(BIN)/python -m pytest -m "not e2e and not install"

system-test: $(STAMP) ## Run the long tests: outages, failover, hostile arguments, interrupts of every command
	$(BIN)/python -m pytest -m system -n 2 --dist loadgroup

install-test: $(STAMP) ## Install the wheel, and follow the README, in new environments (needs the index)
	$(BIN)/python -m pytest -m install tests/install

lint: $(STAMP) ## Check style, types and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

chaos: $(STAMP) ## Let everything fail for two minutes, then count the orders and arbitrages
	$(BIN)/oneorder chaos --orders 1000 --arbitrages 150 --minutes 2

fuzz: $(STAMP) ## Give 50,000 wrong inputs to every door, or as many as MINUTES=10 allow
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(FUZZ)

soak: $(STAMP) ## The same for four minutes and each of SEEDS, 2,300 signals each (half an hour)
	@for seed in $(SEEDS); do \
		$(BIN)/oneorder chaos --orders 2000 --arbitrages 300 --minutes 4 --seed $$seed || exit 1; \
	done

bench: $(STAMP) ## Measure beside the naive task, or BENCH=fold|ledger|reconcile|scanner|arbitrage|isolation
	$(BIN)/python -m benchmarks.$(BENCH)

model: $(STAMP) ## Check the submit protocol exhaustively (needs spin and a C compiler)
	$(BIN)/python docs/model/check.py

pictures: $(STAMP) ## Draw the README's pictures (the report's needs Chromium or Chrome)
	$(BIN)/python docs/pictures.py

lock: ## Pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra embedded --extra postgres --extra dev --universal --python-version 3.11 \
		--no-emit-index-url --generate-hashes --upgrade --quiet -o requirements.lock

clean: ## Remove the installation and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
