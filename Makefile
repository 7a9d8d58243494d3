# `make demo` shows everything, `make run` starts the site, `make test` and `make check` keep it right.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BOOTSTRAP := python3 config/bootstrap.py
PYTHON := .venv/bin/python
PHOTOS ?=
PORT ?=
PYTEST_ARGS ?=
# Two tests at once have one core each: more threads would only fight.
TWO_AT_ONCE := --numprocesses 2 --dist worksteal
ONE_CORE := OMP_NUM_THREADS=1

# .env, where there is one, sets the variables that .env.example lists; PORT=... goes before it.
WITH_ENV := if [ -f .env ]; then set -a; . ./.env; set +a; fi; $(if $(PORT),export TRIAD_PORT='$(PORT)';)

.PHONY: help installed installed-dev setup demo run test check lint types contracts migrations format bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

installed:
	@$(BOOTSTRAP)

installed-dev:
	@$(BOOTSTRAP) --dev

setup: installed  ## make .venv, install what the product runs on, migrate
	@$(WITH_ENV) $(PYTHON) manage.py migrate --verbosity 0

demo: installed  ## the whole loop on photographs: make demo [PHOTOS=folder] [PORT=8000]
	@$(WITH_ENV) exec $(PYTHON) manage.py demo $(if $(PHOTOS),--photos '$(PHOTOS)')

run: installed  ## the site: make run [PORT=8000]
	@$(WITH_ENV) exec $(PYTHON) manage.py up

test:  ## the whole suite on SQLite, then its database part on PostgreSQL
	@$(BOOTSTRAP) --dev --chromium
	$(ONE_CORE) $(PYTHON) -m pytest $(TWO_AT_ONCE) -m "not alone" $(PYTEST_ARGS)
	$(PYTHON) -m pytest -m alone $(PYTEST_ARGS)
	$(ONE_CORE) $(PYTHON) -m tests.postgres $(TWO_AT_ONCE) -m "database and not (browser or slow)" $(PYTEST_ARGS)

check: lint types contracts migrations  ## format, lint, types, import contracts, missing migrations

lint: installed-dev
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m ruff check

# Both read the settings, which make their home: not the one where somebody's data is.
types: installed-dev
	TRIAD_HOME=.venv/home-of-checks $(PYTHON) -m mypy

contracts: installed-dev
	.venv/bin/lint-imports

migrations: installed-dev
	TRIAD_HOME=.venv/home-of-checks $(PYTHON) manage.py makemigrations --check --dry-run

format: installed-dev  ## put the code in its one format
	$(PYTHON) -m ruff format
	$(PYTHON) -m ruff check --fix

# A benchmark joins by a line of its own: `# make bench: ARGUMENTS`.
bench: installed-dev  ## run the benchmarks
	@set -e; grep -sH '^# make bench:' benchmarks/*.py | while IFS=: read -r file _ arguments; do \
	    echo "== $$file"; $(PYTHON) -m benchmarks.$$(basename $$file .py) $$arguments < /dev/null; \
	done

clean:  ## remove .venv and the caches; var, where the data is, stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
