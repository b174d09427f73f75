# Everything one does with EventGate. A fresh Debian 12 with Python 3.11 and make is enough to begin with.

PORT   ?=
DATA   ?=
CONFIG ?=
# How many processes run the tests that use services.
PROCESSES ?= 2

.PHONY: help run test check bench bench-search

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install once, then serve in the foreground (PORT=8080 DATA=data CONFIG=file)
	@scripts/install-python run
	@exec .venv/bin/eventgate serve $(if $(PORT),--port $(PORT)) $(if $(DATA),--data '$(DATA)') $(if $(CONFIG),--config '$(CONFIG)')

test: check ## everything: the checks, then the tests on a real PostgreSQL, Kafka, OpenSearch, rsyslog and syslog-ng
	@scripts/install-syslog-daemons
	@scripts/install-kafka
	@scripts/install-opensearch
	.venv/bin/python -m pytest -q -n $(PROCESSES) --dist loadgroup --no-loadscope-reorder --ignore tests/unit --ignore tests/architecture

check: ## the quick part: style, types, direction of imports, unit tests
	@scripts/install-python test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest -q tests/unit tests/architecture

bench: ## every benchmark in turn, and one table of their ratios
	@scripts/install-python test
	@scripts/install-syslog-daemons
	@scripts/install-kafka
	@scripts/install-opensearch
	@scripts/install-wrk
	.venv/bin/python -m benchmarks.report

bench-search: ## searches over ten million alerts against the best SQL by hand
	@scripts/install-python test
	.venv/bin/python -m benchmarks.search
