# Everything a person or CI does with the suite. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODULES := $(patsubst modules/%/module.json,%,$(wildcard modules/*/module.json))
PACKAGES := modules/common $(MODULES:%=modules/%) simulator mlops examples
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

EXAMPLE ?= digits

.PHONY: run
run: setup ## Run the main job: train, pack, start the suite on the simulator, feed it, swap the model, report; EXAMPLE=… another
	$(BIN)/edge-run job --example $(EXAMPLE)

.PHONY: simulate
simulate: setup ## Start the same suite and stay: drop files, edit twins, watch; Ctrl-C stops it
	$(BIN)/edge-run stay --example $(EXAMPLE)

.PHONY: loop
loop: $(VENV)/.ready-dev ## Close the loop: collect, train, roll out, drift, learn from it; a worse model is refused, or taken back; the last line is JSON
	$(BIN)/edge-run loop

TARGET ?= vm
GPU ?= 0
MANIFEST ?= config/deployment$(addprefix .,$(filter-out vm,$(TARGET))).$(ARCH)$(if $(filter 1,$(GPU)),.gpu).$(if $(filter kubernetes,$(TARGET)),yaml,json)

.PHONY: manifest
manifest: setup ## Expand deployment.template.json for TARGET=vm, k8s-legacy, cpu or kubernetes, with GPU=1 for a host with one
	$(BIN)/python -m deploy.manifest --target $(TARGET) --gpu $(GPU) --platform $(ARCH) --output $(MANIFEST) \
		$(addprefix --pins ,$(wildcard config/images.json))

.PHONY: deploy
deploy: $(VENV)/.ready-dev ## Deploy MANIFEST to DEVICE=…, or to a fleet by CONDITION=…; IOTHUB_CONNECTION_STRING says which hub
	$(BIN)/edge-simulator manifest check $(MANIFEST)
	@$(BIN)/python -m deploy apply $(MANIFEST)

.PHONY: rollback
rollback: $(VENV)/.ready-dev ## Deploy the release before the present one to DEVICE=… or CONDITION=…
	@$(BIN)/python -m deploy rollback

.PHONY: status
status: $(VENV)/.ready-dev ## Show versions, models and refused settings by device, of DEVICE=…, CONDITION=… or all
	@$(BIN)/python -m deploy status

.PHONY: test
test: $(VENV)/.ready-dev registry skopeo shares azurite ## Set up for the tests and pass them
	$(BIN)/pytest

.PHONY: test-again
test-again: $(VENV)/.ready-dev ## Try once more, alone, what failed in the last run of tests; one that passes now is unsteady, and to be mended
	$(BIN)/pytest -m "containers or not containers" --last-failed --last-failed-no-failures none

SEED ?= 1
FILES ?= 10000
FAULTS ?= 200

.PHONY: chaos
chaos: $(VENV)/.ready-dev azurite ## Hit the suite with FAULTS faults while FILES files come, drawn by SEED, and compare all bytes; the last line is JSON
	@PYTHONPATH=tests $(BIN)/python -m chaos --seed $(SEED) --files $(FILES) --faults $(FAULTS)

PARTS ?= pipeline overhead latency growth http swap
GROWTH ?= 1

PEERS := $(patsubst benchmarks/peers/%/requirements.lock,build/peers/%/.ready,$(wildcard benchmarks/peers/*/requirements.lock))

.PHONY: peers
peers: ## Have the servers that the benchmark compares with, each in an environment of its own; 1.5 GB
	@for peer in $(PEERS); do $(MAKE) --silent $$peer || echo "$$peer cannot be had: its figures will be missing"; done

build/peers/%/.ready: benchmarks/peers/%/requirements.lock
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r $<
	touch $@

.PHONY: bench
bench: $(VENV)/.ready-dev $(if $(filter http,$(PARTS)),peers) ## Measure the suite against the machine's limit, write benchmarks/results; PARTS=… of it, GROWTH=0.1 to grow less
	@PYTHONPATH=benchmarks $(BIN)/python -m bench --growth $(GROWTH) $(PARTS)

GPU_LIBRARIES := $(if $(wildcard /dev/nvidia*),build/gpu/.ready)

.PHONY: bench-gpu
bench-gpu: $(VENV)/.ready-dev $(GPU_LIBRARIES) ## Measure inference's engine on a GPU, for which it gets 2 GB of libraries; the last line is JSON, of null without one
	@PYTHONPATH=build/gpu:benchmarks $(BIN)/python -m bench.gpu

build/gpu/.ready: modules/inference/requirements-gpu.lock
	rm -rf $(@D)
	$(PIP) --require-hashes --target $(@D) -r $<
	touch $@

.PHONY: profile
profile: $(VENV)/.ready-dev ## Draw a flame graph of MODULE=… under the benchmark's load
	@PYTHONPATH=benchmarks $(BIN)/python -m bench.profile '$(or $(MODULE),$(error say which: make profile MODULE=transform))'

.PHONY: bench-swap
bench-swap: $(VENV)/.ready-dev ## Measure what a stream of batches notices of twelve swaps; the last line is JSON
	$(BIN)/python benchmarks/swap.py

.PHONY: bench-verify
bench-verify: setup ## Measure edge-verify on a store of a million items; the last line is JSON
	$(BIN)/python benchmarks/verify.py

MINUTES ?= 10

.PHONY: soak
soak: $(VENV)/.ready-dev ## Hold a steady rate for MINUTES, draw memory, files, queues and latency to .run/soak.png
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

REGISTRY_PROGRAM := build/registry/usr/bin/docker-registry
SKOPEO := build/skopeo/usr/bin/skopeo

# $(call fetch,folder,packages): Debian packages, unpacked into a folder of build/
fetch = mkdir -p build && cd build \
	&& { apt-get download -qq $(2) || { apt-get update -qq && apt-get download -qq $(2); }; } \
	&& for package in $(2); do dpkg-deb -x $$package\_*.deb $(1); done

.PHONY: registry
registry: ## Have the container registry that tests run against, where apt-get can get it; installs nothing
	@command -v docker-registry >/dev/null || test -x $(REGISTRY_PROGRAM) || { $(call fetch,registry,docker-registry); } \
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

.PHONY: mlflow
mlflow: ## Have the MLflow server that one test talks to, in an environment of its own under build/: 800 MB
	@test -x build/mlflow/bin/mlflow || { $(PYTHON) -m venv build/mlflow && build/mlflow/bin/pip install --quiet 'mlflow>=3.10,<4'; }

.PHONY: test-extras
test-extras: $(VENV)/.ready-dev mlflow ## Pass edge-mlops' tests with PyTorch, Ray and MLflow's server, which it installs: 2 GB or more, .venv grows
	$(PIP) 'ray[data]==2.48.0' # later ones end themselves where their processes take more than 15 s to start
	$(PIP) --no-build-isolation -e './mlops[ray,torch]'
	$(BIN)/pytest tests/unit/mlops

.PHONY: bench-pull
bench-pull: setup registry ## Measure how fast a package of 200 MB comes from a registry on loopback
	@PATH="$$PATH:$(CURDIR)/$(dir $(REGISTRY_PROGRAM))" $(BIN)/python benchmarks/pull.py

.PHONY: bench-large
bench-large: $(VENV)/.ready-dev azurite ## Put a file of 5 GB into a blob store, killed on its way, and measure memory; needs 11 GB of disk
	@PYTHONPATH=tests $(BIN)/python benchmarks/large.py

.PHONY: bench-hub
bench-hub: setup ## Measure the simulator's hub, with mosquitto as the ceiling where it is installed
	$(BIN)/python benchmarks/hub.py

.PHONY: lint
lint: $(VENV)/.ready-dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy modules/*/src simulator/src mlops/src examples/src benchmarks deploy images scaffold tests
	$(BIN)/lint-imports

.PHONY: docs
docs: $(VENV)/.ready-dev ## Write what the README generates from the code
	PYTHONPATH=tests $(BIN)/python -m support.settings_table

.PHONY: new-module
new-module: $(VENV)/.ready-dev ## Lay out a module of your own, NAME=…, with a test that passes; touches no other
	@$(BIN)/python -m scaffold '$(or $(NAME),$(error say how it is called: make new-module NAME=…))'
	@$(BIN)/ruff check --quiet --fix modules/$(NAME) tests/unit/$(NAME)
	@$(PIP) --no-build-isolation --no-deps -e ./modules/$(NAME)
	@$(BIN)/pytest --quiet tests/unit/$(NAME)

.PHONY: format
format: $(VENV)/.ready-dev ## Format the code and apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# --- images ----------------------------------------------------------------------------------------------------------
ARCH ?= amd64
MACHINE_amd64 := x86_64
MACHINE_arm64 := aarch64
GLIBC := 2_17 2_24 2_26 2_27 2_28 2_31 2_34 2_35 2_36
DOWNLOAD = $(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
	--python-version 3.11 $(GLIBC:%=--platform manylinux_%_$(MACHINE_$(ARCH))) --platform manylinux2014_$(MACHINE_$(ARCH))

.PHONY: wheels
wheels: $(MODULES:%=build/wheels/%/$(ARCH)) ## Get what the images install, each file by its hash; ARCH=arm64 for the other platform

build/wheels/%/$(ARCH): modules/%/requirements.lock requirements-build.lock | $(VENV)/.ready
	rm -rf $@
	$(DOWNLOAD) --dest $@ -r requirements-build.lock -r $<
	touch $@

NAMED := $(addprefix CONTAINER_REGISTRY_SERVER=,$(REGISTRY))

.PHONY: images
images: wheels $(VENV)/.ready-dev ## Build the images, write their SBOMs; REGISTRY=… in their names, BASE_IMAGE=edge-base:bookworm for a small base
	$(NAMED) $(BIN)/python -m images.build $(ARCH)

.PHONY: push
push: $(VENV)/.ready-dev ## Push the images that were built with the same REGISTRY=…; `make manifest` then pins their digests
	$(NAMED) $(BIN)/python -m images.push $(ARCH)

.PHONY: images-gpu
images-gpu: build/wheels/inference.gpu/amd64 $(VENV)/.ready-dev ## Build inference's image with CUDA's libraries, 2 GB of them
	$(NAMED) $(BIN)/python -m images.build amd64.gpu

build/wheels/inference.gpu/amd64: modules/inference/requirements-gpu.lock requirements-build.lock | $(VENV)/.ready
	rm -rf $@
	$(DOWNLOAD) --dest $@ -r requirements-build.lock -r $<
	touch $@

AZUREML := mlops/azureml/environment
MLOPS := modules/common modules/inference modules/transform modules/upload mlops

.PHONY: azureml
azureml: setup ## Complete the build context of the environment that steps run in in Azure Machine Learning
	rm -rf $(AZUREML)/wheels
	SOURCE_DATE_EPOCH=315532800 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps \
		--wheel-dir $(AZUREML)/wheels $(MLOPS:%=./%)
	rm -rf $(MLOPS:%=%/build)
	cp requirements-build.lock mlops/requirements.lock $(AZUREML)/

.PHONY: engine
engine: ## Have a container engine and mmdebstrap: from Debian, as root, where they are missing; dockerd is started if none runs
	images/engine.sh

.PHONY: test-containers
test-containers: $(VENV)/.ready-dev registry ## Build the images on the small base and pass the tests that run them; needs `make engine`
	@if docker info >/dev/null 2>&1 && command -v mmdebstrap >/dev/null; then \
		$(MAKE) base-image && $(MAKE) images BASE_IMAGE=edge-base:bookworm; \
	else \
		echo "no container engine or no mmdebstrap: the tests that need them are skipped; make engine says how to have them"; \
	fi
	$(BIN)/pytest -m containers

.PHONY: base-image
base-image: ## Make a base image, edge-base:bookworm, from Debian's packages, where no public registry is reached
	images/base.sh edge-base:bookworm

# --- lock files: hashes, no addresses --------------------------------------------------------------------------------
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links \
	--no-emit-package edge-common --no-emit-package edge-inference --no-emit-package edge-mlops \
	--no-emit-package edge-simulator \
	--no-emit-package edge-transform --no-emit-package edge-upload
LOCK_ANYWHERE := $(LOCK) --universal
LOCK_IMAGE := $(LOCK) --python-platform x86_64-manylinux_2_28 -c requirements.lock

.PHONY: lock
lock: ## Resolve every lock file again from the pyproject files (needs a package registry)
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'uv>=0.8'
	$(LOCK_ANYWHERE) requirements-build.in -o requirements-build.lock
	$(LOCK_ANYWHERE) $(PACKAGES:%=%/pyproject.toml) -c requirements-build.lock -o requirements.lock
	$(LOCK_ANYWHERE) --group dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock
	for module in $(filter-out inference,$(MODULES)); do \
		$(LOCK_IMAGE) modules/$$module/pyproject.toml -o modules/$$module/requirements.lock; done
	$(LOCK_IMAGE) modules/inference/pyproject.toml --extra cpu -o modules/inference/requirements.lock
	$(LOCK_IMAGE) modules/inference/pyproject.toml --extra gpu -o modules/inference/requirements-gpu.lock
	$(LOCK_IMAGE) mlops/pyproject.toml --extra azureml -o mlops/requirements.lock
	$(LOCK_IMAGE) modules/common/pyproject.toml -o scaffold/module/modules/NAME/requirements.lock

.PHONY: clean
clean: ## Remove what was built and what runs left behind (not .venv)
	rm -rf .run config build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
