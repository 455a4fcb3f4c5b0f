# `make` lists the targets. Everything is installed into .venv, everything is built into _build.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export PYTHONPATH := examples:tests:docs/_extensions:examples/sagemaker_cli
export PYTHONPYCACHEPREFIX := $(CURDIR)/_build/pycache
# Of each process that a test starts, compiling what it imports would be the larger part.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
PY := $(BIN)/python
LANGUAGES := ja en

.PHONY: help site test test-cdk test-debugger random check code translation bench search-eval serve run lab record locale diagrams lock format clean system

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set-up ------------------------------------------------------------------

# The first Python of at least 3.11 that starts; `make PYTHON=/path/to/python3` overrides it.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))

.venv/uv: docs/requirements.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		-r <(awk '/^[^ ]/ { on = /^uv==/ } on' docs/requirements.txt)
	@touch $@

.venv/docs: docs/requirements.txt | .venv/uv
	@$(BIN)/uv pip install --quiet --python $(PY) --require-hashes -r docs/requirements.txt
	@touch $@

.venv/all: requirements.txt | .venv/uv
	@echo "Installing the lab, the SageMaker SDK and the test tools (once) ..."
	@$(BIN)/uv pip sync --quiet --python $(PY) --require-hashes requirements.txt
	@touch .venv/docs $@

# The AWS CLI pins its own botocore: an environment of its own.
.venv/cli: tests/walkthrough/requirements.txt | .venv/uv
	@$(BIN)/uv venv --quiet --clear --python $(PY) .venv/aws-cli
	@$(BIN)/uv pip sync --quiet --python .venv/aws-cli/bin/python --require-hashes $<
	@touch $@

# PyTorch and smdebug, for the examples that import them, before what .venv holds. PyTorch's build for
# the CPU lies where pip looks for files (PIP_FIND_LINKS), or else in the index that uv calls cpu.
TORCH = UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/uv pip $(1) 2>/dev/null || $(BIN)/uv pip $(1) --torch-backend cpu
DEBUGGER := .venv/debugger/bin/python

.venv/debugger/torch: examples/debugger/requirements.txt | .venv/all
	@$(PY) -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || { echo "smdebug needs numpy below 2.3, which has no build for Python 3.14 or newer."; exit 1; }
	@echo "Installing PyTorch for the CPU and smdebug (once) ..."
	@$(BIN)/uv venv --quiet --clear --python $(PY) .venv/debugger
	@awk '/^[^ ]/ { on = /^torch==/ } on' $< > .venv/debugger/torch.txt
	@$(call TORCH,install --quiet --python $(DEBUGGER) --require-hashes --no-deps -r .venv/debugger/torch.txt)
	@touch $@

# Python looks into .venv too, for what an environment does not hold itself.
ABOVE_VENV = $(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(1) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/venv.pth"

.venv/debugger/all: .venv/debugger/torch
	@$(BIN)/uv pip install --quiet --python $(DEBUGGER) --require-hashes -r examples/debugger/requirements.txt
	@$(call ABOVE_VENV,$(DEBUGGER))
	@touch $@

# The AWS CDK, for the examples that import it; its Python package starts Node.
CDK := .venv/cdk/bin/python
NODE := $(shell node --version 2>/dev/null)
NODE_MAJOR := $(patsubst v%,%,$(firstword $(subst ., ,$(NODE))))

.venv/cdk/all: examples/lambda_traffic_shifting/requirements.txt | .venv/all
	@echo "Installing the AWS CDK (once) ..."
	@$(BIN)/uv venv --quiet --clear --python $(PY) .venv/cdk
	@$(BIN)/uv pip sync --quiet --python $(CDK) --require-hashes $<
	@$(call ABOVE_VENV,$(CDK))
	@touch $@

system: ## install chromium, fonts, graphviz and nginx (as root on Debian or Ubuntu)
	@bash .ci/system-packages

# --- the site ----------------------------------------------------------------

# What a page is made of; a folder's own time tells of deleted files.
SITE_SOURCES := conf.py $(shell find docs examples locale -mindepth 1 -not -name '*.mo' -not -name __pycache__ 2>/dev/null)
SITE_MACHINERY := conf.py docs/requirements.txt $(shell find docs/_extensions docs/_templates -type f -not -name '*.pyc' 2>/dev/null)
SPHINX := $(BIN)/sphinx-build -W -n --keep-going -q -c .

site: _build/site ## build both languages into _build/html
	@echo "Open _build/html/index.html"

# Sphinx does not see a change of its own extensions and templates.
_build/machinery: $(SITE_MACHINERY) | .venv/docs
	@rm -rf _build/doctrees _build/html
	@mkdir -p _build && touch $@

_build/site: _build/machinery $(SITE_SOURCES)
	@for language in $(LANGUAGES); do \
	  echo "Building $$language ..."; \
	  $(SPHINX) -b html -D language=$$language -d _build/doctrees/$$language docs _build/html/$$language; \
	done
	@touch $@

serve: site ## build, serve on http://127.0.0.1:8000 and rebuild when a file changes
	@$(PY) docs/_extensions/live_reload.py

EXTRACT = rm -rf _build/gettext && $(SPHINX) -b gettext -d _build/doctrees/gettext docs _build/gettext

locale: _build/machinery ## refresh the translation catalogs from the pages and the command line
	@$(EXTRACT)
	@$(BIN)/sphinx-intl -c conf.py update -p _build/gettext -l en -w 0 --no-obsolete
	@$(PY) -m checks.messages --update

diagrams: .venv/all ## draw the diagrams and charts whose source or translation has changed (needs graphviz)
	@for language in $(LANGUAGES); do \
	  $(BIN)/sphinx-build -b dummy -E -c . -D language=$$language -D diagram_render=1 \
	    -d _build/doctrees/diagrams-$$language docs _build/diagrams; \
	done

# --- the examples ------------------------------------------------------------

run: .venv/all ## run an example on the embedded lab: make run EXAMPLE=slug/name [ARGS="…"]
	@$(PY) -m awslab run "$(EXAMPLE)" $(ARGS)

PORT ?= 5000
lab: .venv/all ## serve the lab on 127.0.0.1:5000 [PORT=… SPEED=60]
	@$(PY) -m awslab serve --port "$(PORT)" $(if $(SPEED),--speed "$(SPEED)")

record: .venv/all .venv/cli ## run and prove the examples, store what the pages show [EXAMPLE=slug/name]
	@$(PY) -m proofs $(EXAMPLE)

# --- checks ------------------------------------------------------------------

check: .venv/all ## lint, types, matching names, translation gate
	@$(MAKE) -j2 code translation

code: .venv/all
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Format the code: make format"; exit 1; }
	@$(PY) -m checks.mirrors
	@$(BIN)/mypy

translation: .venv/all site
	@$(EXTRACT)
	@$(PY) -m checks.catalogs
	@$(PY) -m checks.messages
	@$(PY) -m checks.rendered

test: .venv/all .venv/cli ## set up and run all tests
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then bash .ci/system-packages; fi
	@$(MAKE) check
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n auto --dist loadfile # each worker has one processor

# Warnings of libraries that nobody maintains any more are no news.
test-debugger: .venv/all ## set up PyTorch and smdebug, run the examples that need them and their tests
	@$(MAKE) .venv/debugger/torch || { echo "Skipped: PyTorch for the CPU cannot be installed here; the reason is above."; exit 0; }; \
	$(MAKE) .venv/debugger/all; \
	OMP_NUM_THREADS=1 $(DEBUGGER) -m pytest -n auto --dist loadfile -m debugger \
	  -W ignore::DeprecationWarning -W ignore::ImportWarning -W ignore::SyntaxWarning \
	  tests/debugger tests/model_packaging tests/proofs/test_records.py tests/site/test_copied_code.py

test-cdk: .venv/all ## set up the AWS CDK, run the examples that need it and their tests (needs Node 20)
	@test "$(or $(NODE_MAJOR),0)" -ge 20 || { echo "Skipped: the AWS CDK needs Node 20 or newer; here is $(or $(NODE),none)."; exit 0; }; \
	$(MAKE) .venv/cdk/all; \
	$(CDK) -m pytest -m cdk tests/lambda_traffic_shifting tests/proofs/test_records.py tests/site/test_copied_code.py

REQUESTS ?= 1000
random: .venv/all ## send random requests to every operation of the lab [REQUESTS=…]
	@REQUESTS=$(REQUESTS) $(PY) -m pytest tests/awslab/test_random_requests.py

bench: .venv/all site ## measure build time, page weight, search, test time, accessibility
	@$(PY) -m bench

QUERIES ?= tests/site/queries/tuning.json
search-eval: .venv/all site ## ask the search real queries in Chromium [QUERIES=file.json ARGS=--misses]
	@$(PY) -m bench.search "$(QUERIES)" $(ARGS)

# --- upkeep ------------------------------------------------------------------

lock: .venv/uv ## compile requirements.in into the lock files
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header docs/requirements.in -o docs/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-package nvidia-nccl-cu12 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header tests/walkthrough/requirements.in -o tests/walkthrough/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header examples/lambda_traffic_shifting/requirements.in -o examples/lambda_traffic_shifting/requirements.txt
	@$(call TORCH,compile --quiet --universal --python-version 3.11 --generate-hashes --no-header examples/debugger/requirements.in -o examples/debugger/requirements.txt)

format: .venv/all ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove everything that was built, not .venv
	@rm -rf _build
