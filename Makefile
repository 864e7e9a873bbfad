# Two commands do all set-up: `make run` serves the assistant, `make test` checks everything.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# uv: the one on the PATH, else one of our own in .tools, from the package registry.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
PYTHON ?= python3

# A clinic's server phones nobody, and two cores are not fought over.
export RASA_TELEMETRY_ENABLED := false
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

RUN := $(UV) run --frozen

.PHONY: help
help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-14s %s\n", $$1, $$2}'

.tools/bin/uv:
	@echo "Installing uv into .tools ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check uv

.PHONY: install
install: $(if $(filter .tools/bin/uv,$(UV)),.tools/bin/uv) ## Install the locked packages
	@echo "Installing the locked packages ..."
	@$(UV) sync --frozen --quiet

.PHONY: web
web: install ## Build the chat widget, the kiosk and their pages
	@$(RUN) python web/build.py

.PHONY: train
train: install ## Train the model where its sources changed
	@$(RUN) hipwise train

.PHONY: run
run: web train ## Serve on http://127.0.0.1:5005 (PORT, HOST)
	@$(RUN) hipwise serve

.PHONY: lint
lint: install ## Style and types
	$(RUN) ruff check .
	$(RUN) mypy

.PHONY: validate
validate: train ## Rasa's own check of the training data
	$(RUN) python -m tests.rasa_validate

.PHONY: test-fast
test-fast: train ## The tests that need neither a browser nor a server
	$(RUN) pytest -q -m "not slow and not browser and not server"

.PHONY: browser
browser: install
	@$(RUN) python -m tests.browser.install

.PHONY: test
test: install ## Everything: style, types, data, units, conversations, the real server, a real browser
	# Side by side: training, the longest, needs its second core for a third of its time only.
	@$(MAKE) --no-print-directory -j2 train web lint browser
	$(RUN) python -m tests.rasa_validate
	# A file of tests stays on one of two cores, as its fixtures do. 537 seconds became 267 so.
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/browser
	# Apart: Playwright leaves a running event loop in its process, in which no other asynchronous test can start.
	# Its tests share no more than servers of their own process, so any can go to either core: 253 seconds for 408.
	$(RUN) pytest -n 2 --dist worksteal tests/browser

.PHONY: stock
stock: install ## Install stock Rasa with TensorFlow into .venv-stock, to compare with (2.5 GB)
	@UV_PROJECT_ENVIRONMENT="$(CURDIR)/.venv-stock" $(UV) sync --frozen --quiet --project benchmarks/stock

DATA ?= ../shared/hint3

.PHONY: bench-hint3
bench-hint3: train ## Understanding beside published systems, on HINT3 (DATA=folder)
	$(RUN) python -W ignore -m benchmarks.hint3 --data $(DATA)

.PHONY: bench-nlu
bench-nlu: train ## Understanding of our own data, cross-validated
	$(RUN) python -W ignore -m benchmarks.nlu $(STOCK)

.PHONY: bench-safety
bench-safety: train ## Red flags missed and false alarms, per group; writes docs/safety.md
	$(RUN) python -W ignore -m benchmarks.safety

.PHONY: thresholds
thresholds: install ## Find the classifier's thresholds by cross-validation
	$(RUN) python -W ignore -m benchmarks.thresholds

.PHONY: bench
bench: train stock ## Measure speed, memory and size against stock Rasa; writes docs/performance.md (10 minutes)
	$(RUN) python -m benchmarks.performance

.PHONY: clean
clean: ## Forget the model, the conversations and what was built
	rm -rf models build web/dist var .rasa
