# `make` alone lists what can be made. Go is all that is needed; see README.md.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO        ?= go
PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
MANDIR    ?= $(PREFIX)/share/man
DATADIR   ?= $(PREFIX)/share
DESTDIR   ?=
# What `ctr-prune version` shows. Outside of a git checkout it shows (devel).
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# What `make image` writes, and where `make image-load` puts it.
IMAGE     ?= ghcr.io/ctr-prune/ctr-prune
ADDRESS   ?= /run/containerd/containerd.sock
NAMESPACE ?= k8s.io

CACHE     := $(CURDIR)/.cache
PROGRAM   := bin/ctr-prune
LIBRARY   := ./filters/... ./leases/... ./prune/...
FOLDERS   := cmd filters leases prune integration
# What the program does not need, and is 3 % smaller without: gRPC's page of traces, and
# HTTP/2 for Docker and the kubelet. integration/bed/programs builds it alike.
TAGS      := grpcnotrace,nethttpomithttp2
LDFLAGS   := -s -w $(if $(VERSION),-X main.linkedVersion=$(VERSION))
# What `make bench` measures.
SIZES     ?= 200,1000,5000
MEMORY    ?= 10000
# What `make bench-growth` and `make bench-peers` measure. All three take
# ROUNDS: how often each program is timed.
GROWTH_SIZES ?= 100,300,1000,3000,10000,20000
STALL_SIZES  ?= 200,1000,5000
PEERS_SIZE   ?= 1000
# How long each part of `make soak` goes on that has no end of its own, and
# the packages that have a long mode.
SOAK      ?= 5m
BED       := ./integration/faults/calls ./integration/faults/outage ./integration/faults/disk ./integration/faults/root ./integration/faults/hostile ./integration/model ./integration/command/security ./integration/command/answers ./integration/command/behaviour
# Where the random tests of `make test`, `unit` and `race` begin, so that their
# outcome depends on the change and not on luck. RAPID_SEED=0 begins anew each
# time, as `make soak` and a go test of one's own do.
test unit race: export RAPID_SEED ?= 20000101
# How long `make fuzz` runs each target, and how many at once.
FUZZTIME  ?= 10s
FUZZJOBS  ?= 2
# The packages of `make test`: those that take longest begin, so that none of
# them is alone at the end.
TESTS     ?= ./integration/faults/... ./integration/... ./...
# Tools of others. Their versions stand in integration/tools/external/go.mod.
LINT       = $(CACHE)/tools/golangci-lint-$(call version,github.com/golangci/golangci-lint/v2)
GOTESTSUM  = $(CACHE)/tools/gotestsum-$(call version,gotest.tools/gotestsum)
version    = $(shell cd integration/tools/external && $(GO) list -m -f '{{.Version}}' $(1))
# Checks for known vulnerabilities.
VULN_VERSION = v1.8.0

.PHONY: help build demo test test-systemd test-cluster cluster-parts cluster-missing unit race lint fmt fmt-check vet fuzz soak soak-serve bench-serve bench bench-stall bench-growth bench-memory bench-peers simulate simulate-fleet screenshots sbom licences image image-load packages test-packages test-chart chart-missing manifests FORCE vuln man tidy-check tools install uninstall clean

help: ## show this list
	@echo 'usage: make TARGET'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build bin/ctr-prune, the same bytes wherever and whenever for one VERSION
	CGO_ENABLED=0 $(GO) build -tags '$(TAGS)' -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(PROGRAM) ./cmd/ctr-prune

demo: build ## prune a store made on the spot; ARCHIVE=file.tar or a layout's folder adds your image
	$(GO) run ./integration/tools/demo -command $(PROGRAM) -dir .cache/demo $(if $(ARCHIVE),-archive '$(ARCHIVE)')

test: $(GOTESTSUM) ## all tests, also against real daemons; TESTS=./integration/faults/...
	$(GO) run ./integration/tools/runtests -gotestsum $(GOTESTSUM) $(TESTS)

# The programs of Kubernetes take so long to build that no other target does.
CLUSTER   := ./integration/clients/kubelet
test-cluster: $(GOTESTSUM) ## tests against a real cluster of one node; builds it, once
	$(GO) run ./integration/tools/runtests -gotestsum $(GOTESTSUM) -cluster $(CLUSTER)

cluster-parts: ## build what test-cluster needs; WITHIN=3m gives up after that time
	$(GO) run ./integration/bed/parts/install -cluster $(if $(WITHIN),-within $(WITHIN))

cluster-missing: ## list what of it is not built
	@$(GO) run ./integration/bed/parts/install -cluster -missing

unit: ## only the tests that need no daemon
	$(GO) test ./cmd/... $(LIBRARY)

race: ## the library's tests, and races with it, under the race detector
	$(GO) test -race -short -timeout 20m $(LIBRARY)
	$(GO) test -race -count 1 -timeout 20m ./integration/faults/races

lint: $(LINT) ## vet and lint
	$(GO) vet -tags cluster,deploy ./...
	$(LINT) run

fmt: ## format the source
	gofmt -w $(FOLDERS)

fmt-check: ## fail if the source is not formatted
	@unformatted=$$(gofmt -l $(FOLDERS)); \
	if [[ -n $$unformatted ]]; then echo "not formatted (run: make fmt):"; echo "$$unformatted"; exit 1; fi

vet: ## go vet
	$(GO) vet -tags cluster,deploy ./...

# Now and then go test says "context deadline exceeded" when the time of a target
# is up. Without a failing input that is the end of the time and no finding.
fuzz: ## look for new inputs for FUZZTIME (10s) in every fuzz target, FUZZJOBS (2) at once
	@grep -roP --include='*_test.go' '^func \KFuzz\w+' cmd filters leases prune | sort | xargs -P $(FUZZJOBS) -I{} $(SHELL) $(.SHELLFLAGS) ' \
		found={}; dir=$$(dirname "$${found%%:*}"); target=$${found##*:}; \
		out=$$($(GO) test -run "^$$" -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s -parallel 1 "./$$dir" 2>&1) || [[ $$out == *"context deadline exceeded"* && $$out != *"Failing input"* ]] || { echo "$$out"; exit 255; }; \
		echo "$$dir $$target: $$(grep -oP "execs: \K\d+" <<<"$$out" | tail -1) inputs"'

soak: ## hours of the test bed, with new seeds; SOAK=5m for each part
	SOAK=$(SOAK) $(GO) test -v -count 1 -timeout 6h $(BED)
	SOAK=$(SOAK) $(GO) test -race -count 1 -timeout 6h ./integration/faults/races

test-systemd: ## serve under a systemd of its own, as root; installs systemd if it is missing
	SYSTEMD_SERVE=1 $(GO) test -v -count 1 -timeout 20m ./integration/command/serve -run '^TestSystemd$$'

soak-serve: ## serve on a build host with a disk that fills up; DURATION=1h
	SOAK_SERVE=$(or $(DURATION),1h) $(GO) test -v -count 1 -timeout 26h ./integration/command/serve -run '^TestSoak$$'

bench-serve: ## what a resident takes on a node of 1,000 images with ten events a second; DURATION=10m
	QUIET_SERVE=$(or $(DURATION),10m) $(GO) test -v -count 1 -timeout 26h ./integration/command/serve -run '^TestQuiet$$'

bench: ## time and weigh the command; SIZES=200,1000 ROUNDS=3 MEMORY=0 DIR=/dev/shm
	mkdir -p .cache && rm -f .cache/bench.md
	$(GO) test ./integration/bench -run '^TestBench$$' -count 1 -timeout 3h -v -args \
		-sizes $(SIZES) -rounds $(or $(ROUNDS),5) -memory $(MEMORY) $(if $(DIR),-dir '$(DIR)') -out '$(CACHE)/bench.md'
	@echo; cat .cache/bench.md

bench-stall: ## what others wait for while a store is pruned; STALL_SIZES=200,1000 STALL_LARGE=20000 ROUNDS=3 DIR=…
	mkdir -p .cache && rm -f .cache/bench-stall.md
	$(GO) test ./integration/bench -run '^TestStall$$' -count 1 -timeout 3h -v -args \
		-stall $(STALL_SIZES) -large $(or $(STALL_LARGE),0) -rounds $(or $(ROUNDS),3) $(if $(DIR),-dir '$(DIR)') -out '$(CACHE)/bench-stall.md'
	@echo; cat .cache/bench-stall.md

bench-growth: ## fail if time or memory grows worse than linear; GROWTH_SIZES=… ROUNDS=3 DIR=…
	mkdir -p .cache && rm -f .cache/bench-growth.md
	$(GO) test ./integration/bench -run '^Test(Growth|Scale)$$' -count 1 -timeout 6h -v -args \
		-grow $(GROWTH_SIZES) -rounds $(or $(ROUNDS),3) $(if $(DIR),-dir '$(DIR)') -out '$(CACHE)/bench-growth.md'
	@echo; cat .cache/bench-growth.md

bench-memory: ## weigh looking at large stores; BLOBS=100000,1000000 COMBINED=100 DIR=…
	mkdir -p .cache && rm -f .cache/bench-memory.md
	$(GO) test ./integration/bench -run '^Test(Memory|Combined)$$' -count 1 -timeout 6h -v -args \
		-blobs $(or $(BLOBS),100000) -combined $(or $(COMBINED),0) $(if $(DIR),-dir '$(DIR)') -out '$(CACHE)/bench-memory.md'
	@echo; cat .cache/bench-memory.md

bench-peers: ## compare with ctr, crictl's calls and dockerd; PEERS_SIZE=100 ROUNDS=3 DIR=…
	mkdir -p .cache && rm -f .cache/bench-peers.md
	$(GO) test ./integration/peers -run '^TestPeers$$' -count 1 -timeout 6h -v -args \
		-size $(PEERS_SIZE) -rounds $(or $(ROUNDS),3) $(if $(DIR),-dir '$(DIR)') -out '$(CACHE)/bench-peers.md'
	@echo; cat .cache/bench-peers.md

simulate: ## a week of a build host, pruned by a policy and as the kubelet does; WEEKS=10
	mkdir -p .cache && rm -f .cache/simulation.md
	$(GO) test ./prune/internal/simulation -count 1 -timeout 1h -args -seeds $(or $(WEEKS),10) -out '$(CACHE)/simulation.md'
	@echo; cat .cache/simulation.md

screenshots: ## the pictures of terminals in docs/img again, from a real store; as root
	$(GO) test -count 1 -run TestShots ./integration/command/tasks -args -shots '$(CURDIR)/docs/img'

simulate-fleet: ## the tables of docs/fleet.md: what serve costs a cluster, and how far a mistake gets
	@$(GO) run ./integration/tools/fleet

sbom: build ## write bin/ctr-prune.cdx.json, what the program is made of (CycloneDX)
	$(GO) run ./integration/tools/sbom -program $(PROGRAM) -version '$(VERSION)' > $(PROGRAM).cdx.json.new
	mv $(PROGRAM).cdx.json.new $(PROGRAM).cdx.json

licences: build ## write docs/licences.md again
	$(GO) run ./integration/tools/sbom -program $(PROGRAM) -as markdown > $(PROGRAM).licences.md
	mv $(PROGRAM).licences.md docs/licences.md

# The image is built for these. SOURCE_DATE_EPOCH or the time of the commit is its time.
ARCHES    := amd64 arm64
CREATED    = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)

bin/linux-%/ctr-prune: FORCE
	GOOS=linux GOARCH=$* $(MAKE) --no-print-directory build PROGRAM=$@

bin/linux-%/ctr-prune.cdx.json: bin/linux-%/ctr-prune
	$(GO) run ./integration/tools/sbom -program $< -version '$(VERSION)' > $@

image: $(foreach a,$(ARCHES),bin/linux-$(a)/ctr-prune bin/linux-$(a)/ctr-prune.cdx.json) ## write bin/image: an OCI layout and Docker archives, amd64 and arm64; IMAGE=name
	$(GO) run ./integration/tools/image $(foreach a,$(ARCHES),-platform $(a)=bin/linux-$(a)) -out bin/image \
		-name '$(IMAGE)' -version '$(or $(VERSION),devel)' -revision '$(shell git rev-parse HEAD 2>/dev/null)' -created '$(CREATED)'

image-load: image ## import the image into containerd; ADDRESS=socket NAMESPACE=k8s.io
	$(GO) run ./integration/tools/image -load '$(ADDRESS)' -namespace '$(NAMESPACE)'

packages: build $(foreach a,$(ARCHES),bin/linux-$(a)/ctr-prune bin/linux-$(a)/ctr-prune.cdx.json) ## write bin/packages: deb, rpm and apk, amd64 and arm64, with checksums; SIGN_KEY=file signs these
	$(GO) run ./integration/tools/packages $(foreach a,$(ARCHES),-platform $(a)=bin/linux-$(a)) -program $(PROGRAM) -out bin/packages \
		-version '$(or $(VERSION),devel)' -created '$(CREATED)' $(if $(SIGN_KEY),-sign '$(SIGN_KEY)')

test-packages: ## the packages installed, upgraded and removed under a systemd of their own; as root, on Debian
	$(GO) test -tags deploy -v -count 1 -timeout 40m ./integration/tools/packages

# Helm takes long to build, so that make test does without. Where the parts of
# test-cluster are built, the chart is also installed into a real API server.
test-chart: ## the chart, linted and rendered over the corners of its values; builds helm, once
	tags=deploy; missing=$$($(MAKE) --no-print-directory --silent cluster-missing); \
	if [[ -z $$missing ]]; then tags+=,cluster; else echo "not installed into an API server, because these are not built: $$missing"; fi; \
	$(GO) test -tags "$$tags" -v -count 1 -timeout 60m ./integration/tools/chart

chart-missing: ## list what test-chart would have to build
	@$(GO) run ./integration/bed/parts/install -missing -chart

manifests: ## write deploy/kubernetes again, from the chart
	$(GO) test -tags deploy -count 1 -timeout 60m ./integration/tools/chart -run '^TestManifestsAreCurrent$$' -update

vuln: ## look for known vulnerabilities, where their database can be reached; VULNDB=URL
	@code=0; $(GO) run golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION) $(if $(VULNDB),-db '$(VULNDB)') ./cmd/... $(LIBRARY) || code=$$?; \
	if ((code != 0)); then echo 'make vuln: see above; if it says that vulnerabilities could not be fetched, then nothing was checked'; fi; \
	exit $$code

man: ## write the manual pages again; make test fails if they are not current
	$(GO) test -count=1 -run '^TestManualPagesAreCurrent$$' ./cmd/ctr-prune -update

tidy-check: ## fail if go.mod or go.sum are not tidy
	$(GO) mod tidy -diff

tools: $(LINT) $(GOTESTSUM) ## build the linter and what runs the tests, once

$(CACHE)/tools/golangci-lint-%: integration/tools/external/go.mod
	cd integration/tools/external && CGO_ENABLED=0 $(GO) build -o '$@' github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(CACHE)/tools/gotestsum-%: integration/tools/external/go.mod
	cd integration/tools/external && CGO_ENABLED=0 $(GO) build -o '$@' gotest.tools/gotestsum

install: build ## install below PREFIX (/usr/local), staged into DESTDIR
	install -D -m 0755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/ctr-prune'
	install -d '$(DESTDIR)$(MANDIR)/man1'
	install -m 0644 docs/man/*.1 '$(DESTDIR)$(MANDIR)/man1/'
	install -d '$(DESTDIR)$(DATADIR)/bash-completion/completions' '$(DESTDIR)$(DATADIR)/zsh/site-functions' '$(DESTDIR)$(DATADIR)/fish/vendor_completions.d'
	./$(PROGRAM) completion bash > '$(DESTDIR)$(DATADIR)/bash-completion/completions/ctr-prune'
	./$(PROGRAM) completion zsh > '$(DESTDIR)$(DATADIR)/zsh/site-functions/_ctr-prune'
	./$(PROGRAM) completion fish > '$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/ctr-prune.fish'

uninstall: ## remove what install put there
	rm -f '$(DESTDIR)$(BINDIR)/ctr-prune' '$(DESTDIR)$(MANDIR)/man1/ctr-prune'*.1 \
		'$(DESTDIR)$(DATADIR)/bash-completion/completions/ctr-prune' \
		'$(DESTDIR)$(DATADIR)/zsh/site-functions/_ctr-prune' \
		'$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/ctr-prune.fish'

clean: ## remove what was built; ALL=1 also the daemons and tools in .cache
	rm -rf bin
	@# Layers may hold folders that even their owner may not enter.
	if [[ -d .cache/demo ]]; then chmod -R u+rwX .cache/demo; fi
	rm -rf .cache/demo $(if $(ALL),.cache)
