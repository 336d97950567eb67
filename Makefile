# The commands of the README. Each makes .venv first when it is missing or older than what it is made from.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test coverage check bench clean

BIN := .venv/bin
READY := .venv/ready

# The first Python on the path that is new enough.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

run: $(READY)  ## a development server on http://localhost:8000
	@$(BIN)/python -m examples.run

test: $(READY)  ## every test
	@$(BIN)/python -m pytest -n auto --dist worksteal

# Without the tests that drive a browser: Playwright's threads end in greenlets, which the tracer does not survive.
coverage: $(READY)  ## which lines the tests run by themselves, in their own process
	@$(BIN)/python -m pytest -n auto --dist worksteal -q --cov --cov-report=term \
		--ignore=tests/browser --ignore=tests/interop --ignore=tests/journeys

check: $(READY)  ## what can be found without running: style, types, floors of the house, stale documents
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

bench: $(READY)  ## the figures of docs/performance.md, on this machine
	@$(BIN)/python -m bench

clean:  ## everything the other commands made, but for var/, which holds data
	rm -rf .venv build dist src/*.egg-info .coverage* .*_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Mapae needs Python 3.11 or later; none is on the PATH." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes python3-venv >/dev/null; \
	else \
		echo "This Python has no venv: install it (on Debian: sudo apt-get install python3-venv)." >&2; exit 1; \
	fi
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
