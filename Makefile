# Sageline's own commands. Needs Python 3.11 to 3.13 and make; everything else is installed into .venv from uv.lock.
.DEFAULT_GOAL := help
.ONESHELL:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
UV_VERSION := 0.13.8
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
SECURITY := $(VENV)/security
SDK3 := $(VENV)/sdk3
FLAML := $(VENV)/flaml
SAGELINE_HOME ?= .local
# What a script's container imports, which can not write the compiled files itself. uv does not compile what it installs.
COMPILE := $(BIN)/python -m compileall -qq -j 0
PACKAGES = $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
export SAGELINE_HOME
export PATH := $(BIN):$(PATH)
export SAM_CLI_TELEMETRY := 0
# What is imported is compiled once for all processes, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup setup-tensorflow setup-pytorch demo demo-tensorflow examples check test style types quick unit coverage
.PHONY: test-tensorflow test-browser test-containers test-moto lint audit format validate workflow bench docs bundle clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-22s %s\n", $$1, $$2}'

setup: $(VENV)/.synced ## Install what uv.lock pins into .venv; afterwards no network is needed

$(VENV)/.synced: pyproject.toml packages/sagemaker-emulator/pyproject.toml packages/sageline-client/pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
		echo "Sageline needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 2; }
	echo "Installing into .venv (once; about a minute on a first run) ..."
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet --python $(BIN)/python
	$(COMPILE) sageline_local packages/sagemaker-emulator/src layers/shared/sageline $(PACKAGES)/{numpy,scipy,sklearn,xgboost,pandas,joblib} || true
	$(BIN)/python -m sageline_local.build
	touch $@

demo: ## The main job on this machine: upload, train, deploy, predict, delete
	@begin=$$(date +%s.%N)
	$(MAKE) --no-print-directory setup
	SAGELINE_SETUP_SECONDS=$$(awk "BEGIN {print $$(date +%s.%N) - $$begin}") $(BIN)/python -m sageline_cli.demo

# The jobs of examples/. Those with TensorFlow install it first.
demo-regression: ## XGBoost on a table of numbers; batch transform of a file
demo-tuning: ## 20 XGBoost models, 3 at a time, the best one deployed
demo-ab: ## Linear learner and XGBoost behind one endpoint
demo-blazingtext: ## BlazingText on documents
demo-images-knn: ## k nearest neighbours on images
demo-images-files: ## k nearest neighbours on image files in class folders
demo-script: ## A scikit-learn script of one's own
demo-text: setup-tensorflow ## A deep TensorFlow classifier on a bag of 500 words
demo-text-script: setup-tensorflow ## A Keras script of one's own on the same
demo-images-tensorflow: setup-tensorflow ## A convolutional network on images, trained by two hosts

EXAMPLES := regression tuning ab blazingtext images-knn images-files script
TENSORFLOW_EXAMPLES := text text-script images-tensorflow

$(addprefix demo-,$(EXAMPLES) $(TENSORFLOW_EXAMPLES)): demo-%: setup
	@$(BIN)/python -m sageline_cli.examples $*

demo-tensorflow: setup-tensorflow ## The three TensorFlow examples, one after the other
	@$(BIN)/python -m sageline_cli.examples $(TENSORFLOW_EXAMPLES)

.PHONY: accept
accept: setup ## The main job, a tuned run, a batch, a canary and the deletes, in AWS for under $2: STACK=NAME (or locally)
	@$(BIN)/python -m sageline_cli.accept $(STACK)

.PHONY: fixture
fixture: setup ## Runs and endpoints that the golden events in events/ name, in the local stack
	@$(BIN)/python -m sageline_cli.fixture

examples: setup ## The examples without TensorFlow, one after the other
	@$(BIN)/python -m sageline_cli.examples $(EXAMPLES)

setup-tensorflow: $(VENV)/.tensorflow ## Install TensorFlow into .venv (half a gigabyte)

$(VENV)/.tensorflow: $(VENV)/.synced
	@echo "Installing TensorFlow into .venv (once) ..."
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet --inexact --group tensorflow --python $(BIN)/python
	$(COMPILE) $(PACKAGES)/{tensorflow,keras} || true
	touch $@

setup-pytorch: $(VENV)/.pytorch ## Install PyTorch into .venv

$(VENV)/.pytorch: $(VENV)/.synced
	@echo "Installing PyTorch into .venv (once) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	touch $@

.PHONY: invoke api
invoke: setup ## Run one function as Lambda does: FUNCTION=manage_pipelines EVENT=list-pipelines (or EVENT=a file)
	@$(BIN)/python -m sageline_local.invoke function "$(FUNCTION)" "$(EVENT)"

api: setup ## Serve the HTTP API from containers, by sam local start-api, on PORT (3000) until Ctrl-C
	@exec $(BIN)/python -m sageline_local.invoke api --port $(or $(PORT),3000)

check: style types quick ## The inner loop, within a minute: format, lint, types, the fast unit tests

test: setup lint unit workflow ## What CI runs, within 8 minutes: also weaknesses, slow unit tests, the real state machine

style: setup ## ruff: format and lint
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	$(BIN)/ruff check --quiet .

types: setup ## strict mypy
	@$(BIN)/mypy

lint: style types $(SECURITY)/.synced ## style and types, and checkov, bandit and cfn-lint for weaknesses
	@$(BIN)/python -m tests.security $(SECURITY)/bin

# checkov pins boto3 and much else otherwise than Sageline does: an environment of its own, from a lock file of its own.
$(SECURITY)/.synced: tests/security/pyproject.toml tests/security/uv.lock | setup
	@echo "Installing what looks for weaknesses (once) ..."
	UV_PROJECT_ENVIRONMENT=$(SECURITY) $(BIN)/uv sync --frozen --quiet --project tests/security --python $(BIN)/python
	touch $@

audit: setup $(SECURITY)/.synced ## Ask PyPI for known vulnerabilities of what is installed; says so where it cannot be reached
	@$(BIN)/python -m tests.security.audit $(SECURITY)/bin

format: setup ## Format the code
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

UNIT := tests/unit packages/sagemaker-emulator/tests packages/sageline-client/tests
# The files in their order: by the number of tests, which xdist goes by, a few long ones would be the last.
IN_ORDER := --dist loadfile --no-loadscope-reorder --quiet

quick: setup ## The fast unit tests, with few examples of each property
	@$(BIN)/pytest $(UNIT) -m "not slow and not full" --hypothesis-profile few -n 2 $(IN_ORDER)

unit: setup ## The unit tests, network off; make coverage tries more examples of each property
	@$(BIN)/pytest $(UNIT) -m "not full" --hypothesis-profile few -n 2 $(IN_ORDER)

coverage: setup ## Branch coverage of the layer and the handlers by their unit tests: at least 95 %
	@$(BIN)/pytest tests/unit --ignore tests/unit/cli --ignore tests/unit/local_stack -n 2 $(IN_ORDER) --cov --cov-report=term

validate: setup ## The template, checked by the SAM CLI: with cfn-lint, as `make lint` does
	@$(BIN)/sam validate --lint

workflow: setup ## The real state machine on the local stack, and one run end to end
	@# They wait for about half of the time, so three share two cores.
	$(BIN)/pytest tests/workflow tests/e2e -m "not full" -n 3 --dist loadfile --durations=10

# What a tier of test-all needs and is not there is a failure, not a skip.
ALL := $(BIN)/python -m pytest -p tests.no_skips --durations=10

.PHONY: test-full test-sdk3 test-pytorch test-docker test-all
test-full: setup ## The workflow tests with other people's clients, restarts of the stack, load, and much data
	@$(ALL) $(UNIT) -m "full and not tensorflow" --hypothesis-profile few
	$(ALL) tests/workflow -m "full and not tensorflow" -n 3 --dist loadfile

test-sdk3: setup $(SDK3)/.synced ## SageMaker's Python SDK 3, which has an environment of its own, against the emulator
	@PYTHONPATH=packages/sagemaker-emulator/tests $(BIN)/python -m tests.sdk3 $(SDK3)/bin/python --durations=10

$(SDK3)/.synced: tests/sdk3/pyproject.toml tests/sdk3/uv.lock | setup
	@echo "Installing SageMaker's Python SDK 3 (once; 0.7 GB) ..."
	UV_PROJECT_ENVIRONMENT=$(SDK3) $(BIN)/uv sync --frozen --quiet --project tests/sdk3 --python $(BIN)/python
	touch $@

test-tensorflow: setup-tensorflow ## The tests that need TensorFlow
	@$(ALL) $(UNIT) tests/workflow -m tensorflow

test-pytorch: setup-pytorch ## The tests that need PyTorch
	@$(ALL) $(UNIT) -m pytorch

test-browser: setup ## What a web page can do to the local stack, in a real Chromium (Debian: apt-get install chromium)
	@$(ALL) tests/browser -m browser

test-docker: setup ## The golden events, make invoke and make api in Docker; starts a daemon where none answers (root, Debian)
	@$(ALL) tests/docker

test-all: ## Every test, one tier after the other, before a release
	@for tier in test coverage test-full test-sdk3 test-docker test-browser test-tensorflow test-pytorch; do $(MAKE) --no-print-directory $$tier; done

test-containers: setup ## Run AWS's own readers and validators on what Sageline writes; CONTAINERS=DIR holds their sources
	@$(BIN)/python -m tests.containers.sources "$(CONTAINERS)"
	# What their code warns of is not ours to mend.
	CONTAINERS="$(abspath $(CONTAINERS))" $(BIN)/pytest tests/containers -W ignore

test-moto: setup ## Run moto's own tests of SageMaker against the emulator (3 minutes); MOTO=DIR is a clone of getmoto/moto
	@PYTHONPATH=packages/sagemaker-emulator/tests $(BIN)/python -m moto_suite "$(MOTO)"

bench: setup ## Measure Sageline beside its peers (installed for it, half an hour); writes docs/benchmarks.md
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet --inexact --group bench --python $(BIN)/python
	$(BIN)/python -m tests.benchmarks

.PHONY: quality
quality: setup $(FLAML)/.synced ## Measure Sageline's models beside scikit-learn's and FLAML's on 25 datasets; writes docs/quality.md
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet --inexact --group quality --python $(BIN)/python
	# Of two models the better one is told by their answers, not by how many threads either has.
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.quality --held-out $(ARGUMENTS)

# FLAML wants an older XGBoost: an environment of its own, from a lock file of its own.
$(FLAML)/.synced: tests/quality/flaml/pyproject.toml tests/quality/flaml/uv.lock | setup
	@echo "Installing FLAML (once) ..."
	UV_PROJECT_ENVIRONMENT=$(FLAML) $(BIN)/uv sync --frozen --quiet --project tests/quality/flaml --python $(BIN)/python
	touch $@

docs: setup ## Write the generated part of the documentation again
	@$(BIN)/python -m docs.generate

bundle: setup ## Build what would be deployed to AWS (python3.13, arm64)
	@$(BIN)/sam build

clean: ## Remove what was built, and the local stack's state (stop it first: sageline local down)
	rm -rf .aws-sam .local
