# Quantum Trader.  `make help` lists the targets; `make demo` and `make test` need nothing installed by hand.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ROOMS := crds operator engine simulator cluster demo bus tests benchmarks
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/ready: requirements/dev.txt pyproject.toml scripts/venv
	@scripts/venv "$(PYTHON)" .venv requirements/dev.txt

.PHONY: venv
venv: .venv/ready ## the virtual environment, from hash-locked requirements

.PHONY: tools
tools: venv ## build or find etcd, Kubernetes, helm and redis-server
	@$(BIN)/quantum-cluster tools

.PHONY: demo
demo: tools ## the whole story on a real control plane, with measured times
	@$(BIN)/quantum-demo story

.PHONY: test
test: tools ## every ring of tests: unit, laws, contract, live, chaos
	@$(PYTEST) tests --ignore=tests/chaos -n 3 --dist loadfile
	@$(PYTEST) tests/chaos

.PHONY: test-unit
test-unit: venv ## the pure rings only (unit and laws)
	@$(PYTEST) tests/unit tests/laws

.PHONY: up
up: tools ## start cluster, operator, engines and venue, and leave them running
	@$(BIN)/quantum-demo up

.PHONY: status
status: venv ## what `make up` started, and how it is
	@$(BIN)/quantum-demo status

.PHONY: down
down: venv ## end exactly what `make up` started, also after a crash
	@$(BIN)/quantum-demo down

.PHONY: bench
bench: tools ## measure the budgets of docs/benchmarks.md, each beside its baseline
	@$(BIN)/python -m benchmarks

.PHONY: lint
lint: venv ## ruff, mypy strict, import rules, generated files
	@$(BIN)/ruff check $(ROOMS)
	@$(BIN)/ruff format --check $(ROOMS)
	@$(BIN)/mypy
	@PYTHONPATH=crds:operator:engine:simulator:cluster:demo:bus $(BIN)/lint-imports
	@$(BIN)/python -m quantum_api.generate --check

.PHONY: generate
generate: venv ## write CRDs, chart files and reference docs from the models
	@$(BIN)/python -m quantum_api.generate

LOCK := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal

# What tests run on is what runs: a client that pins other versions of ours (ccxt pins all) is given ours, hence --override.
.PHONY: lock
lock: ## lock requirements again with hashes (needs uv)
	@$(LOCK) requirements/runtime.in -o requirements/runtime.txt
	@$(LOCK) --override requirements/runtime.txt requirements/dev.in -o requirements/dev.txt
