# The front door. `make help` lists what there is; everything is installed into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
# Tests and checks work on folders of their own, never on ./data.
TESTING := DJANGO_SETTINGS_MODULE=tests.settings
# Three on two processors: while one waits for a browser or a clock, the others compute.
PYTEST := $(PY) -m pytest -n 3
# Where the database is used; conftest.py leaves out each test here that does without it, and the
# browser tests do not care which one it is.
ON_POSTGRES := downloads/tests watchlist providers/tests --ignore=downloads/tests/engine \
	--ignore=providers/tests/sites --ignore=providers/tests/demo --ignore=providers/tests/hosts
SOURCES := manage.py conftest.py gunicorn.conf.py watchlist_project watchlist downloads providers tests bench
TEMPLATES := $(shell find templates -name '*.html' 2>/dev/null)
YAML_STYLE := '{extends: default, rules: {line-length: {max: 100}}}'
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps --only-binary :all:

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##: using it
.PHONY: run
run: $(VENV)/.installed ## Start everything on http://127.0.0.1:8000 (Ctrl-C stops it)
	@exec $(PY) manage.py up

.PHONY: demo
demo: $(VENV)/.installed ## The same against a demo site on this machine, account demo / demo
	@exec $(PY) manage.py up --demo

.PHONY: setup
setup: $(VENV)/.installed ## Only install what `make run` needs

##: working on it
.PHONY: test
test: $(VENV)/.installed-dev ## Run the tests, on SQLite and on PostgreSQL
	$(PYTEST)
	.ci/with-postgres $(PYTEST) -m "not e2e" $(ON_POSTGRES)

.PHONY: lint
lint: $(VENV)/.installed-dev ## Format and style of code and templates, import contracts
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(VENV)/bin/lint-imports
	$(PY) -m yamllint --strict --config-data $(YAML_STYLE) docker-compose.yml .pre-commit-config.yaml
ifneq ($(TEMPLATES),)
	$(VENV)/bin/djade --check --target-version 5.2 $(TEMPLATES)
	$(VENV)/bin/djlint --lint --quiet templates
endif

.PHONY: types
types: $(VENV)/.installed-dev ## Types, strictly
	$(PY) -m mypy

.PHONY: check
check: $(VENV)/.installed-dev ## Everything that CI checks: lint, types, migrations, tests
	$(MAKE) -j 2 lint types consistency
	$(MAKE) test

.PHONY: consistency
consistency: $(VENV)/.installed-dev
	$(TESTING) $(PY) manage.py makemigrations --check --dry-run
	$(TESTING) $(PY) manage.py check

.PHONY: bench
bench: $(VENV)/.installed-dev ## The benchmarks, one table
	$(PY) bench/run.py

.PHONY: format
format: $(VENV)/.installed-dev ## Rewrite code and templates in the one style
	$(PY) -m ruff format $(SOURCES)
	$(PY) -m ruff check --fix $(SOURCES)
ifneq ($(TEMPLATES),)
	$(VENV)/bin/djade --target-version 5.2 $(TEMPLATES)
endif

.PHONY: migrations
migrations: $(VENV)/.installed-dev ## Write the migrations that changed models need
	$(TESTING) $(PY) manage.py makemigrations

.PHONY: messages
messages: $(VENV)/.installed-dev ## Collect the texts to translate (needs gettext) and compile them
	mkdir -p locale
	$(TESTING) $(PY) manage.py makemessages --locale fr --no-location --ignore .venv --ignore data --ignore bench/work
	$(PY) -c "import pathlib, polib; [polib.pofile(str(p)).save_as_mofile(str(p.with_suffix('.mo'))) for p in pathlib.Path('locale').rglob('*.po')]"

.PHONY: lock
lock: $(VENV)/bin/uv ## Resolve the dependencies anew and write both lock files
	$(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet --upgrade --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra dev --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --quiet --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements-dev.lock

# The stamps make a second run need neither pip nor a network.
$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing what Tsuzuku needs (once)"
	@$(PIP_INSTALL) -r requirements.lock
	@$(PY) -m compileall -q watchlist_project watchlist downloads providers
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what the tests need (once)"
	@$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@

$(VENV)/bin/python:
	@PYTHON="$(PYTHON)" .ci/make-venv $(VENV)

$(VENV)/bin/uv: | $(VENV)/bin/python
	@$(PY) -m pip install --disable-pip-version-check --quiet uv
