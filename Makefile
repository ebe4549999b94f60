# Everything a person or CI does with the suite. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := modules/common modules/ingest modules/transform modules/inference modules/upload simulator examples
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(VENV)/.ready ## Create .venv with the suite's commands, from hash-pinned requirements

$(VENV)/.ready: requirements.lock requirements-build.lock $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements-build.lock
	$(PIP) --require-hashes --no-build-isolation -r requirements.lock
	$(PIP) --no-build-isolation --no-deps $(PACKAGES:%=-e ./%)
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	$(PIP) --require-hashes --no-build-isolation -r requirements-dev.lock
	touch $@

.PHONY: run
run: setup ## Run the main job: train, pack, start the suite on the simulator, feed it, swap the model, report
	$(BIN)/edge-run job

.PHONY: simulate
simulate: setup ## Start the same suite and stay: drop files, edit twins, watch; Ctrl-C stops it
	$(BIN)/edge-run stay

.PHONY: manifest
manifest: setup ## Expand deployment.template.json to config/deployment.<platform>.json
	$(BIN)/edge-simulator manifest expand deployment.template.json --output-dir config

.PHONY: test
test: $(VENV)/.ready-dev registry skopeo shares azurite ## Set up for the tests and pass them
	$(BIN)/pytest

SEED ?= 1
FILES ?= 10000
FAULTS ?= 200

.PHONY: chaos
chaos: $(VENV)/.ready-dev ## Hit the suite with FAULTS faults while FILES files come, drawn by SEED, and compare all bytes; the last line is JSON
	@PYTHONPATH=tests $(BIN)/python -m chaos --seed $(SEED) --files $(FILES) --faults $(FAULTS)

.PHONY: bench-swap
bench-swap: $(VENV)/.ready-dev ## Measure what a stream of batches notices of twelve swaps; the last line is JSON
	$(BIN)/python benchmarks/swap.py

MINUTES ?= 10

.PHONY: soak
soak: $(VENV)/.ready-dev ## Hold a steady rate for MINUTES, draw memory, files, queues and latency to .run/soak.png
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

REGISTRY := build/registry/usr/bin/docker-registry
SKOPEO := build/skopeo/usr/bin/skopeo

# $(call fetch,folder,packages): Debian packages, unpacked into a folder of build/
fetch = mkdir -p build && cd build \
	&& { apt-get download -qq $(2) || { apt-get update -qq && apt-get download -qq $(2); }; } \
	&& for package in $(2); do dpkg-deb -x $$package\_*.deb $(1); done

.PHONY: registry
registry: ## Have the container registry that tests run against, where apt-get can get it; installs nothing
	@command -v docker-registry >/dev/null || test -x $(REGISTRY) || { $(call fetch,registry,docker-registry); } \
		|| echo "docker-registry cannot be had: the tests that need it are skipped"

.PHONY: skopeo
skopeo: ## Have skopeo, which tests copy packages with, where apt-get can get it; installs nothing
	@command -v skopeo >/dev/null || test -x $(SKOPEO) || { $(call fetch,skopeo,skopeo libgpgme11 libassuan0); } \
		|| echo "skopeo cannot be had: the test that needs it is skipped"

SHARES := build/shares
SHARE_PACKAGES := samba smbclient rclone fuse3

.PHONY: shares
shares: ## Have the file server and the network mount that tests use, where apt-get can get them; installs nothing
	@{ command -v smbd smbclient rclone fusermount3 >/dev/null || test -e $(SHARES)/.ready || { mkdir -p $(SHARES) && cd $(SHARES) \
		&& { apt-get install -s $(SHARE_PACKAGES) >/dev/null || apt-get update -qq; } \
		&& apt-get download -qq $$(apt-get install -s --no-install-recommends $(SHARE_PACKAGES) | awk '/^Inst/ {print $$2}') \
		&& for package in *.deb; do dpkg-deb -x $$package . && rm $$package; done && touch .ready; }; } 2>/dev/null \
		|| echo "samba, smbclient, rclone or fuse3 cannot be had: the tests that need them are skipped"

AZURITE := build/azurite

.PHONY: azurite
azurite: ## Have the blob store that tests run against, where Node.js and npm are; installs it under build/
	@cmp -s tests/azurite/package-lock.json $(AZURITE)/node_modules/.installed || { mkdir -p $(AZURITE) \
		&& cp tests/azurite/package*.json $(AZURITE)/ && npm ci --prefix $(AZURITE) --no-audit --no-fund --loglevel=error \
		&& cp tests/azurite/package-lock.json $(AZURITE)/node_modules/.installed; } \
		|| echo "Azurite cannot be had: the tests that need it are skipped"

.PHONY: bench-pull
bench-pull: setup registry ## Measure how fast a package of 200 MB comes from a registry on loopback
	@PATH="$$PATH:$(CURDIR)/$(dir $(REGISTRY))" $(BIN)/python benchmarks/pull.py

.PHONY: bench-hub
bench-hub: setup ## Measure the simulator's hub, with mosquitto as the ceiling where it is installed
	$(BIN)/python benchmarks/hub.py

.PHONY: lint
lint: $(VENV)/.ready-dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy modules/*/src simulator/src examples/src benchmarks tests
	$(BIN)/lint-imports

.PHONY: docs
docs: $(VENV)/.ready-dev ## Write what the README generates from the code
	PYTHONPATH=tests $(BIN)/python -m support.settings_table

.PHONY: format
format: $(VENV)/.ready-dev ## Format the code and apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# --- lock files: hashes, no addresses --------------------------------------------------------------------------------
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links \
	--no-emit-package edge-common --no-emit-package edge-inference --no-emit-package edge-simulator \
	--no-emit-package edge-transform

.PHONY: lock
lock: ## Resolve every lock file again from the pyproject files (needs a package registry)
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'uv>=0.8'
	$(LOCK) requirements-build.in -o requirements-build.lock
	$(LOCK) $(PACKAGES:%=%/pyproject.toml) -c requirements-build.lock -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock
	for module in ingest transform upload; do \
		$(LOCK) modules/$$module/pyproject.toml -c requirements.lock -o modules/$$module/requirements.lock; done
	$(LOCK) modules/inference/pyproject.toml --extra cpu -c requirements.lock -o modules/inference/requirements.lock

.PHONY: clean
clean: ## Remove what was built and what runs left behind (not .venv)
	rm -rf .run config build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
