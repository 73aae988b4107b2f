# Everything that a clone needs is python3 (3.11 or newer), git and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DOCS_STAMP := .venv/.docs-installed
BENCH ?= orders
MINUTES ?= 10
FUZZ ?= --inputs 50000
HISTORIES ?= 20000
SEEDS ?= 1 2 3 4 5
# Tests at once: one more than two cores, since those of whole stacks mostly wait for them.
JOBS ?= 3

# The tests start hundreds of processes, each of which would compile the packages again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test unit system-test coverage dist release-check lint chaos soak-tests soak-short soak fuzz bench model pictures docs lock clean

help: ## Show all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Install oneorder and its tools into .venv, in the versions of the lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP) ## Run 40 signals end to end and compare the result with the exchange's ledger
	$(BIN)/oneorder demo

test: lint ## Run lint, types and all tests but those of system-test, soak-tests and release-check
	$(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder

unit: $(STAMP) ## Run the quick tests only, without real processes
	$(BIN)/python -m pytest -m "not e2e and not release and not soak"

system-test: $(STAMP) ## Run the long tests: outages, failover, hostile arguments, interrupts of every command
	$(BIN)/python -m pytest -m system -n 2 --dist loadscope --no-loadscope-reorder

coverage: $(STAMP) ## Run the quick tests; fail if they reach less than 83 % of all, or 97 % of what decides on orders
	$(BIN)/python -m pytest -m "not e2e and not release and not system and not soak" -n $(JOBS) --dist loadscope --no-loadscope-reorder --cov --cov-report=
	$(BIN)/coverage report --format=total --include='oneorder/*,execution/*' --fail-under=97

dist: $(STAMP) ## Build sdist and wheel of oneorder and of oneorder-client into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python -m build --no-isolation --outdir dist client

release-check: dist ## Install what dist/ holds in new environments of each Python at hand (needs the index)
	$(BIN)/python -m pytest -m release tests/release

lint: $(STAMP) ## Check style, types and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml
	$(BIN)/zizmor --offline --pedantic --quiet .

chaos: $(STAMP) ## Make everything fail for two minutes, then count the orders and arbitrages
	$(BIN)/oneorder chaos --orders 1000 --arbitrages 150 --minutes 2

fuzz: $(STAMP) ## Send 50,000 wrong inputs to every interface, or as many as MINUTES=10 allow
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(FUZZ)

soak-tests: $(STAMP) ## Play the long simulation, take out each safeguard, try ten times the examples
	$(BIN)/python -m pytest -m "soak or hypothesis" --hypothesis-profile soak -n $(JOBS) --dist loadscope --no-loadscope-reorder

soak-short: soak-tests ## Run the part of soak that CI runs: soak-tests and chaos
	$(MAKE) chaos

soak: soak-tests ## Run soak-tests, 20,000 histories, then chaos for four minutes and each of SEEDS, 2,300 signals each (half an hour)
	$(BIN)/python -m tests.simulation --histories $(HISTORIES) --seed 1500
	@for seed in $(SEEDS); do \
		$(BIN)/oneorder chaos --orders 2000 --arbitrages 300 --minutes 4 --seed $$seed || exit 1; \
	done

bench: $(STAMP) ## Measure beside the naive task, or BENCH=fold|ledger|reconcile|scanner|arbitrage|isolation
	$(BIN)/python -m benchmarks.$(BENCH)

model: $(STAMP) ## Check the protocol's model exhaustively (needs spin and a C compiler)
	$(BIN)/python docs/model/check.py

docs: $(DOCS_STAMP) ## Build the site of the documentation into build/docs; a warning is an error
	$(BIN)/python -m docs.generate
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html docs build/docs

$(DOCS_STAMP): $(STAMP) docs/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r docs/requirements.lock
	touch $(DOCS_STAMP)

pictures: $(STAMP) ## Draw the README's pictures (the report's needs Chromium or Chrome)
	$(BIN)/python docs/pictures.py

lock: ## Pin the newest versions of all dependencies (needs uv)
	uv pip compile pyproject.toml --extra all --group dev --universal --python-version 3.11 \
		--no-emit-index-url --generate-hashes --upgrade --quiet -o requirements.lock
	uv pip compile --group docs -c requirements.lock --universal --python-version 3.11 \
		--no-emit-index-url --generate-hashes --upgrade --quiet -o docs/requirements.lock

clean: ## Remove the installation and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
