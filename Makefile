# mlids: `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

BUILD := $(CURDIR)/.build
BIN   := $(BUILD)/bin
PEERS := $(BUILD)/peers
GO    ?= go
LINT_VERSION := v2.15.0
NFPM_VERSION := v2.45.0
SBOM_VERSION := v1.10.0
ACTIONLINT_VERSION := v1.7.12
GOVULNCHECK_VERSION := v1.9.0
FUZZTIME ?= 2s
PLAIN := NotAllocate|NoAllocation|ThereAndBack|FullSize
SOAKTIME ?= 10m
IMAGE ?= localhost/mlids
ARCHS ?=

export CGO_ENABLED ?= 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath) # as releases are built, so that tests of those find most of it compiled
export MLIDS_PEERS := $(PEERS)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: build
build: ## build the binary into .build/bin
	$(GO) build -o $(BIN)/mlids ./cmd/mlids

# Tools for releases stay out of our go.mod; each is kept under its version, and found under its name.
RELEASE_TOOLS := $(BIN)/nfpm-$(NFPM_VERSION) $(BIN)/cyclonedx-gomod-$(SBOM_VERSION) $(BIN)/actionlint-$(ACTIONLINT_VERSION)
$(BIN)/nfpm-$(NFPM_VERSION): MODULE := github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
$(BIN)/cyclonedx-gomod-$(SBOM_VERSION): MODULE := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(SBOM_VERSION)
$(BIN)/actionlint-$(ACTIONLINT_VERSION): MODULE := github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
$(RELEASE_TOOLS):
	GOBIN=$(BIN) $(GO) install $(MODULE)
	mv $(BIN)/$(firstword $(subst -v, ,$(notdir $@))) $@
	ln -sf $(notdir $@) $(BIN)/$(firstword $(subst -v, ,$(notdir $@)))

.PHONY: release-tools
release-tools: $(RELEASE_TOOLS) ## install what releases are made with into .build/bin

.PHONY: dist
dist: release-tools ## archives, packages, lists of parts and checksums for Linux on amd64 and arm64, into .build/dist
	deploy/dist.sh $(BUILD)/dist amd64 arm64

.PHONY: sbom
sbom: release-tools ## the parts of the program as CycloneDX, into .build/mlids.cdx.json
	deploy/build.sh $$($(GO) env GOHOSTARCH) $(BUILD)/mlids && deploy/sbom.sh $(BUILD)/mlids $(BUILD)/mlids.cdx.json

.PHONY: licenses
licenses: ## write docs/dependencies.md anew; fails on a licence that does not fit
	$(GO) run ./deploy/deps

.PHONY: vulnerabilities
vulnerabilities: ## govulncheck, where its database is reachable
	@deploy/vulnerabilities.sh $(GOVULNCHECK_VERSION)

.PHONY: image
image: ## build the container image IMAGE (default localhost/mlids) for ARCHS (default: this machine's), no registry needed
	deploy/container/build.sh $(IMAGE) $(ARCHS)

.PHONY: tools
tools: ## install what the tests need, only what is missing (apt as root, pip into .build/peers)
	@lab/tools.sh $(PEERS)

# With the program's profile its packages would be compiled a second time, beside those that are tested.
test: export GOFLAGS += -pgo=off
.PHONY: test
test: tools release-tools build ## install what is missing and run everything: vet, tests with the race detector, a few seconds of each fuzzer
	$(GO) vet ./...
	MLIDS_BINARY=$(BIN)/mlids CGO_ENABLED=1 $(GO) test -race -timeout 14m ./...
	$(GO) test -run '$(PLAIN)' $$(git grep -lE '^func Test.*($(PLAIN))' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') # all rows, and pools: without the detector
	models/rebuild.sh --check
	@$(MAKE) --no-print-directory fuzz FUZZTIME=$(FUZZTIME)

.PHONY: test-fast
test-fast: ## the short tests, with Go alone
	$(GO) test -short ./...

.PHONY: lint
lint: $(BIN)/golangci-lint-$(LINT_VERSION) ## golangci-lint over everything
	$< run ./...

$(BIN)/golangci-lint-$(LINT_VERSION):
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv $(BIN)/golangci-lint $@

.PHONY: bench
bench: tools ## the benchmarks behind the figures in docs/, peers beside them
	@lab/bench/run.sh

.PHONY: profile
profile: ## profile flows and detect on the benchmark's captures, for the compiler (cmd/mlids/default.pgo)
	@lab/bench/profile.sh

.PHONY: fuzz
fuzz: ## run every fuzzer for FUZZTIME (an hour each: make fuzz FUZZTIME=1h)
	@lab/fuzz.sh $(FUZZTIME)

.PHONY: soak
soak: build ## serve and classify, and let benign traffic pass, for SOAKTIME each; fails when memory grows, an answer changes or anything is blocked
	MLIDS_SOAK=$(SOAKTIME) $(GO) test -count=1 -timeout 0 -run Soak ./api
	MLIDS_SOAK=$(SOAKTIME) MLIDS_BINARY=$(BIN)/mlids $(GO) test -count=1 -timeout 0 -run TestDefence/benign -v ./lab/sdn

.PHONY: lab-tools
lab-tools:
	@lab/tools.sh --debian

.PHONY: lab
lab: build lab-tools ## the network that defends itself, attacked: a table, and pictures in .build/lab (as root)
	$(GO) run ./lab/sdn --mlids $(BIN)/mlids --out $(BUILD)/lab
	@$(MAKE) --no-print-directory lab-mininet

.PHONY: lab-mininet
lab-mininet: build lab-tools ## the same in a network that Mininet's Python API builds (lab/sdn/mininet_seed.py; as root)
	$(GO) run ./lab/sdn --mlids $(BIN)/mlids --out $(BUILD)/lab --mininet

.PHONY: chaos
chaos: ## 200,000 rows while ways out fail and mlids is killed with -9 twenty times: nothing may be lost
	MLIDS_CHAOS=full $(GO) test -count=1 -timeout 15m -v -run TestChaos ./cmd/mlids

.PHONY: full
full: tools release-tools ## what `make test` does on a sample, on everything: KDD'99 through Telegraf, recorded floods, generated requests, the image's program linked twice
	MLIDS_FULL=1 $(GO) test -count=1 -timeout 60m -v -run 'Telegraf|TestImage$$|RecordedTraffic|Schemathesis' ./cmd/mlids ./deploy/container ./mitigate ./api

.PHONY: models
models: ## rebuild the embedded models from the data sets, bit for bit
	@models/rebuild.sh
