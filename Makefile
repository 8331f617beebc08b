# `make` or `make help` lists what there is. Everything runs in .venv, made from requirements.lock.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# No dependency phones home, and a test or a demo never depends on the machine's locale.
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export BENTOML_DO_NOT_TRACK := True
export PYTHONUTF8 := 1

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ebbtide needs Python 3.11 or newer; found %s. Try: make PYTHON=python3.12 …" % sys.version.split()[0])'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up .venv: about 1.7 GB, one to three minutes" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/ebbtide warm
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed ## Make the environment in .venv from the hashed lock

$(VENV)/.installed-spark: $(VENV)/.installed requirements-spark.lock
	@echo "adding pyspark to .venv: about 0.5 GB; it also needs Java 17 or newer" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes -r requirements-spark.lock
	@touch $@

.PHONY: setup-spark
setup-spark: $(VENV)/.installed-spark ## Add the extra `spark` to .venv (0.5 GB), for [engine] name = "spark" and its tests

.PHONY: demo
demo: setup ## The whole loop on The Complete Journey, into demo/
	@$(BIN)/ebbtide demo

.PHONY: test
test: setup ## The default tests (10 to 12 minutes on two cores)
	TZ=UTC $(BIN)/python -m pytest -m "not slow"

.PHONY: test-zone
test-zone: setup ## The default tests in another time zone: a fifth of the random logs, without Spark, crashes, simulated shops
	TZ=Asia/Kathmandu RANDOM_LOGS=0.2 $(BIN)/python -m pytest -q -m "not slow" \
		--ignore=tests/features/test_spark_engine.py --ignore=tests/pipelines/test_engine.py \
		--ignore=tests/pipelines/test_ingest_crashes.py --ignore=tests/pipelines/test_ingest_at_once.py \
		--ignore=tests/pipelines/simulate

.PHONY: test-all
test-all: setup test-zone ## Every test, also in another time zone (slow)
	TZ=UTC $(BIN)/python -m pytest

.PHONY: check
check: setup ## ruff, mypy --strict, import-linter, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.documents --check

.PHONY: bench-monitor
bench-monitor: setup ## False alarms and power of the drift verdict, beside PSI and KS (about 2 minutes)
	$(BIN)/python benchmarks/monitor_false_alarms.py

.PHONY: bench-panel
bench-panel: setup ## Peak memory of training with the panel in memory and in a file (about 4 minutes)
	$(BIN)/python benchmarks/panel_memory.py

.PHONY: check-mutations
check-mutations: setup ## Break each aggregation, readout and edge of the engine once, and see a test fail
	$(BIN)/python benchmarks/mutation_check.py

.PHONY: bench-features
bench-features: setup ## The feature engine beside reading the log, SQL, pandas and Polars (2 GB in /tmp; ARGS=--quick)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps polars==2.1.0 polars-runtime-32==2.1.0
	$(BIN)/python -m benchmarks.feature_engine $(ARGS)

.PHONY: pictures
pictures: setup ## Render what a person sees into docs/img (needs demo/ and Chromium)
	$(BIN)/python benchmarks/pictures.py --project demo --out docs/img

.PHONY: pictures-simulate
pictures-simulate: setup ## Draw the simulated shops beside two real logs into docs/img, and print the table
	$(BIN)/python -m benchmarks.simulate_pictures --out docs/img

.PHONY: docs
docs: setup ## Write the generated pages again (docs/config.md, docs/features.md, docs/grammar.md, docs/api.md)
	$(BIN)/python -m pipelines.documents

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lock
lock: ## Resolve pyproject.toml into requirements.lock and requirements-spark.lock again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --extra demo --extra redis --extra postgres --group dev pyproject.toml -o requirements.lock
	sed -n 's/^spark = \["\(.*\)"\]$$/\1/p' pyproject.toml | uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header - -o requirements-spark.lock

.PHONY: clean
clean: ## Remove the demo and every cache, keep .venv
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
