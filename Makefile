# make test        everything; on Debian as root it installs what it needs and runs the lab too
# make test-fast   the portable part, no root, for the inner loop
# make lab-test RUN=regex   chosen lab tests; those named TestLong… are left out of make test
# make bench, make lab-report   the figures (docs/benchmarks.md)
# make sim-long RUNS=100000   random misfortune overnight
# make data-long   random misfortune of a replicated database in the lab
# make pictures    the screens of the README, drawn anew from the demo
# make snapshot    every file of a release, below dist/release; make cross compiles for every system
GO ?= go
RUN ?= .
BENCH ?= .
RUNS ?= 100000
LAB_PACKAGES = -p 1 ./internal/lab/... ./kits/kittest

.PHONY: build test test-fast lab-test lab-report bench pictures sim-long data-long lint vuln snapshot cross

build:
	$(GO) build -o ferry ./cmd/ferry

test:
	GO=$(GO) sh internal/house/test.sh

test-fast:
	$(GO) vet ./...
	FERRY_LAB=0 $(GO) test -short ./...

lab-test:
	FERRY_LAB=1 $(GO) test -count=1 -timeout 90m -v -run '$(RUN)' -skip 'TestHold|TestReport' $(LAB_PACKAGES)

lab-report:
	FERRY_LAB=1 FERRY_REPORT=1 $(GO) test -count=1 -timeout 60m -v -run 'TestReport' $(LAB_PACKAGES)

# One package after the other, so that they do not disturb each other; feed two outputs to benchstat.
bench:
	$(GO) test -p 1 -timeout 90m -run '^$$' -bench '$(BENCH)' -benchmem -count $${COUNT:-6} ./engine/... ./sshexec/... ./cmd/ferry ./tui/...

pictures:
	$(GO) run ./internal/pictures docs/pictures

sim-long:
	$(GO) test -count=1 -timeout 0 -run TestRandomMisfortune ./internal/sim/chaos -args -chaos.runs=$(RUNS) -chaos.long

# A hundred misfortunes of a database on a mirror of disks with volatile caches, in the lab; hours.
data-long:
	FERRY_LAB=1 FERRY_RUNS=100 $(GO) test -count=1 -timeout 0 -v -run 'TestDataCampaign|TestLongData' ./internal/lab/e2e

snapshot:
	GO=$(GO) sh internal/house/package.sh all

cross:
	GO=$(GO) sh internal/house/package/cross.sh

lint:
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

# The vulnerability database is not reachable from everywhere; so this is no part of make test.
vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
