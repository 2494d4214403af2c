PYTHON ?= python3
ARGS ?=
MODELS ?= models
SERVE := .venv/serve
BUILD := .venv/build
DEV := .venv/dev
CHART := charts/vision-models
BENCH = $(DEV)/bin/python -m benchmarks
PEERS := kserve_sdk mlserver litserve bentoml ray_serve
GRPCURL := github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3
HELM_DOCS := github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2
KIND_VERSION ?= $(shell sed -n 's/^KIND_VERSION=//p' versions.env)
HELM_VERSION ?= $(shell sed -n 's/^HELM_VERSION=//p' versions.env)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# uv does not read pip's variable: whoever installs from a mirror has set that one
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports pytest ratios test-tools bench-bundle bench bench-quick bench-peers e2e builder screenshots pictures digits manifests chart-docs tools lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ifneq (,$(and $(filter run,$(MAKECMDGOALS)),$(filter-out run,$(MAKECMDGOALS))))
$(error "make run" serves models/; for others: make run MODELS=$(filter-out run,$(MAKECMDGOALS)))
endif

run: $(SERVE)/ready ## Serve models/ and the page on http://127.0.0.1:8000; others with MODELS=DIR, options in ARGS="…"
	@exec $(SERVE)/bin/python -m frontend.laptop --models $(MODELS) --host 127.0.0.1 $(ARGS)

test: lint pytest ratios ## Everything that CI checks; at the end what serving costs beside the engine, which fails nothing

lint: format types imports ## ruff, mypy, the import contracts, shellcheck

format: $(DEV)/ready
	$(DEV)/bin/ruff check
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/shellcheck .ci/run images/install scripts/run

types: $(DEV)/ready
	$(DEV)/bin/mypy

imports: $(DEV)/ready ## The import contracts alone
	$(DEV)/bin/lint-imports

pytest: $(DEV)/ready test-tools ## The tests alone, or some of them with ARGS="…"
	$(DEV)/bin/pytest --numprocesses auto --dist loadfile $(ARGS)

bench-bundle: build/bundles/resnet-50/model.yaml ## Make a ResNet-50 in int8 of random weights, to measure speed with; installs 6 GB, torch among it

build/bundles/resnet-50/model.yaml: | $(DEV)/ready
	@$(DEV)/bin/python -m benchmarks.resnet_bundle

bench: .tools/bin/load bench-bundle ## Measure the server against the bare engine, and under overload, in under 5 minutes
	$(BENCH) efficiency --seconds 3 --clients 1,8,32 --doors v2,grpc
	$(BENCH) efficiency --keep-as formats --seconds 2 --rounds 1 --clients 1,8 --doors v2 --images png,large,batch,pixels
	$(BENCH) overload --seconds 5 --rounds 1 --parts 0.7,0.85,0.95,2
	$(BENCH) framework --seconds 2 --rounds 3 --clients 32

bench-quick: .tools/bin/load bench-bundle ## Less of it, in a minute or two: the ratios that make test ends with
	$(BENCH) efficiency --keep-as quick --seconds 2 --rounds 2 --clients 8,32 --doors v2
	$(BENCH) framework --seconds 2 --rounds 1 --clients 32 --doors v2

bench-peers: .tools/bin/load bench-bundle ## Measure other serving frameworks beside the server, in half an hour or more; some of it with ARGS="…"
	$(BENCH) comparison $(ARGS)

# behind the tests, or they would be in its way; a machine is too noisy for a figure to fail anything
ratios: pytest
	@if [ -x .tools/bin/load ]; then $(MAKE) --no-print-directory bench-quick || echo "… the ratios could not be measured"; \
	else echo "… the load client can't be had, as .tools/load.log tells: no ratios are measured"; fi

e2e: $(DEV)/ready ## The tests against the cluster of scripts/cluster, or some of them with ARGS="…"
	$(DEV)/bin/pytest tests/e2e $(ARGS)

manifests: .tools/bin/helm ## Render the chart for kind into manifests/kind.yaml
	@mkdir -p build
	.tools/bin/helm template vision $(CHART) --namespace vision --no-hooks --values $(CHART)/environments/kind.yaml >build/kind.yaml
	printf '%s\n' '# The chart for kind, without Helm: kubectl --namespace vision apply --server-side --filename manifests/kind.yaml' \
		'# Made by `make manifests`.' | cat - build/kind.yaml >manifests/kind.yaml

chart-docs: .tools/bin/helm-docs ## Write the chart's README out of the comments in its values.yaml
	.tools/bin/helm-docs --log-level warning --chart-search-root $(CHART) --sort-values-order file

tools: .tools/bin/kind .tools/bin/helm ## Build kind and helm into .tools/bin, with Go

builder: $(BUILD)/ready ## Install .venv/build/bin/vision-builder, with torch, OpenVINO and NNCF

screenshots: $(DEV)/ready ## Take the pictures of the page in docs/images anew, with Chromium
	$(DEV)/bin/pytest tests/page/screenshots.py

pictures: $(DEV)/ready ## Draw the modules in docs/images/modules.svg anew, out of the code
	$(DEV)/bin/python docs/modules.py

digits: $(BUILD)/ready ## Train models/digits anew
	$(BUILD)/bin/vision-builder train digits --output models/digits

lock: $(DEV)/ready ## Choose the newest versions and pin them, with hashes
	$(call compile,uv,requirements/uv.in)
	$(call compile,go,requirements/go.in)
	$(call compile,serve,pyproject.toml)
	$(call compile,scripts,requirements/scripts.in --constraint requirements/serve.txt)
	$(call compile,frontend,requirements/frontend.in --constraint requirements/serve.txt)
	$(call compile,build,pyproject.toml --extra build --constraint requirements/serve.txt)
	$(call compile,serve-gpu,pyproject.toml --extra gpu --constraint requirements/build.txt)
	$(call compile,dev,pyproject.toml --extra build --extra dev --constraint requirements/build.txt)
	@mkdir -p build
	grep -oE '^(numpy|openvino|pillow|pyyaml)==[^ ]+' requirements/serve.txt >build/engine.txt
	@$(foreach peer,$(PEERS),$(call compile_to,benchmarks/peers/$(peer)/requirements.in --constraint build/engine.txt,benchmarks/peers/$(peer)/requirements.txt) &&) true

clean: ## Remove what was installed and built here
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	rm -rf .venv .tools build images/copied *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(SERVE)/ready: requirements/uv.txt requirements/serve.txt pyproject.toml
	$(call install,serve)

$(BUILD)/ready: requirements/uv.txt requirements/build.txt pyproject.toml
	$(call install,build)

$(DEV)/ready: requirements/uv.txt requirements/dev.txt pyproject.toml
	$(call install,dev)

.venv/scripts/ready: requirements/uv.txt requirements/scripts.txt
	$(call environment,scripts)
	@touch $@

.venv/go/ready: requirements/uv.txt requirements/go.txt
	$(call environment,go)
	@touch $@

# what tests call; those that call what can't be had are skipped: nothing here may fail
test-tools:
	@mkdir -p .tools
	@$(call try,grpcurl)
	@$(call try,helm-docs)
	@$(call try,load)
	@command -v helm >/dev/null || $(call try,helm)
	@$(foreach name,chromium chromium-browser google-chrome,command -v $(name) >/dev/null ||) $(call try,chromium)

define try
{ $(MAKE) --silent .tools/bin/$(1) 2>.tools/$(1).log \
	|| echo "… $(1) can't be had, as .tools/$(1).log tells: the tests that call it are skipped."; }
endef

.tools/bin/grpcurl: requirements/go.in
	$(call go_install,$(GRPCURL))

.tools/bin/load: $(wildcard benchmarks/load/*) requirements/go.in
	@echo "Building the load client into .tools/bin, once …"
	$(go_needed)
	@$(GO_PATH) go build -C benchmarks/load -buildvcs=false -o "$(CURDIR)/$@" .

.tools/bin/helm-docs: requirements/go.in
	$(call go_install,$(HELM_DOCS))

# Debian's, and only in CI: on a person's machine nothing is installed for everybody
.tools/bin/chromium:
	@{ [ -n "$$CI" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || { echo "no Chromium on the PATH" >&2; exit 1; }
	@echo "Installing Debian's Chromium, once …"
	@apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium fonts-liberation >/dev/null
	@mkdir -p .tools/bin && ln -sf "$$(command -v chromium)" $@

.tools/bin/kind: versions.env
	$(call go_install,sigs.k8s.io/kind@$(KIND_VERSION))

.tools/bin/helm: versions.env
	$(call go_install,helm.sh/helm/v4/cmd/helm@$(HELM_VERSION))

GO_PATH = PATH="$$PATH:$(CURDIR)/.venv/go/bin"

define go_needed
@command -v go >/dev/null || $(MAKE) --no-print-directory .venv/go/ready
endef

define go_install
@echo "Building $(1) into .tools/bin, once …"
$(go_needed)
@$(GO_PATH) GOBIN="$(CURDIR)/.tools/bin" go install $(1)
@touch $@
endef

define environment
@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	|| { echo "Python 3.11 to 3.13 is needed, $(PYTHON) is another: make … PYTHON=python3.12"; exit 1; }
@echo "Installing into .venv/$(1), once: a virtual environment and its installer …"
@$(PYTHON) -m venv --clear .venv/$(1)
@.venv/$(1)/bin/pip install --quiet --require-hashes --requirement requirements/uv.txt
@echo "… requirements/$(1).txt …"
@VIRTUAL_ENV=.venv/$(1) .venv/$(1)/bin/uv pip install --require-hashes --requirement requirements/$(1).txt
endef

define install
$(call environment,$(1))
@echo "… and this project."
@VIRTUAL_ENV=.venv/$(1) .venv/$(1)/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
@touch $@
endef

define compile
$(call compile_to,$(2),requirements/$(1).txt)
endef

define compile_to
$(DEV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	$(1) --output-file $(2)
endef
