# make prints its targets; each line after ## says what a target does.
.DEFAULT_GOAL := help
GO ?= go
OUT ?= runs
KILLS ?= 60

.PHONY: help build test check hunt fuzz disturb vuln notices gate gate-power golden bench e2e acceptance senders crash agreement agreement-senders bench-cost bench-fakewa bench-sender bench-load bench-import june6

help: ## print the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

build: ## build the static binary ./aftershock
	CGO_ENABLED=0 $(GO) build -trimpath -o aftershock ./cmd/aftershock

june6: ## replay the incident
	$(GO) run ./cmd/aftershock run june6

test: ## run the tests with the race detector
	$(GO) test -race -shuffle=on -timeout 20m ./...

check: ## exactly what CI asks of a change: format, vet, staticcheck, tidy, tests
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(MAKE) test

gate: ## every known way to be green while something is wrong, and the right answer of each
	$(GO) test -count=1 -v -run Gate ./internal/gate ./reports

gate-power: ## 20 seeds of june6-slo against themselves raise no alarm, and one more duplicate is always found (10 minutes)
	$(GO) test -tags power -count=1 -v -timeout 60m -run GatePower ./internal/gate

golden: ## every scenario of the catalog comes to the same verdict and digest, and queueing to its laws (3 minutes; ARGS=-update accepts)
	$(GO) test -count=1 -timeout 20m -run "TestCatalog|TestRecoveryWaits" ./internal/gate $(ARGS)
	$(GO) test -count=1 -timeout 20m -run 'WaitingTimes|Loss|Saturation|Retries|Paces|Scaling' ./harness/local

bench: ## cost of a replay at 10k, 100k and 1M messages
	$(GO) test -run xxx -bench Replay -benchtime 1x -timeout 30m ./harness/local

bench-fakewa: ## the fake's rate against a bare handler's, and what it holds after 1M messages
	$(GO) test -run xxx -bench 'Bare|Fakewa' -benchtime 3s ./fakewa

bench-import: ## logs of 10M lines read by scenario import: lines a second, and the most memory held
	$(GO) test -run xxx -bench Import -benchtime 1x -timeout 30m ./cmd/aftershock

bench-sender: ## the sender on JetStream: throughput, added latency, memory under overload
	$(GO) test -run xxx -bench Sender -benchtime 1x ./sut

bench-load: ## how punctual hits leave at 200, 1,000 and 5,000/s, beside the vegeta and k6 commands: 8 minutes
	$(GO) test -run xxx -bench Pacing -benchtime 3x -timeout 30m ./harness/agent

bench-cost: build ## CPU and memory of every process, a message: what docs/scale.md counts with
	./aftershock run docs/examples/cost.yaml --env processes --queue jetstream --ui none -o markdown

agreement: build ## the same scenarios in virtual time, in real time, in processes and in containers: docs/agreement.md (20 minutes)
	$(GO) run ./internal/agreement

agreement-senders: build ## the senders of examples/ in real time and ten times as fast: docs/agreement.md (22 minutes; npm ci --prefix examples/bullmq before)
	$(GO) run ./internal/agreement -senders -out $(OUT)/agreement

crash: ## kill a sender at every point of its state machine and at random (KILLS=60), tear its journal, fill its disk, damage its queue
	$(GO) test -run Crash -count=1 -timeout 40m -v ./sut -kills $(KILLS)

acceptance: ## real Cloud API clients against the fake (needs npm)
	./acceptance/run.sh

hunt: ## the first HUNT (300) seeds of aftershock hunt, and faults that are planted for it to find
	$(GO) run ./cmd/aftershock hunt --seeds 1..$(or $(HUNT),300) --jobs 1 --out $(OUT)/hunt
	$(GO) test -count=1 -timeout 15m -run 'Planted' ./harness/hunt

fuzz: ## every reader of outside input, for FUZZ seconds each (45: 20 minutes)
	./internal/fuzz.sh $(or $(FUZZ),45)

disturb: ## runs ended by signals and records damaged, 300 times: nothing crashes, nothing lies, nobody's files are touched (8 minutes)
	$(GO) run ./internal/disturb

vuln: ## known vulnerabilities of what is linked in, where their database can be reached
	@if curl -sSf -m 10 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...; \
	else echo "skipped: govulncheck (its database at vuln.go.dev cannot be reached from here)"; fi

notices: ## the licences of everything in the binary, to be passed on with it: THIRD_PARTY_NOTICES.txt
	$(GO) run ./internal/notices

senders: ## senders of one's own (examples/), ten times as fast as they think: needs libfaketime, and Redis, npm, Python, Ruby for each (5 minutes)
	$(GO) test -tags senders -count=1 -v -timeout 6m ./examples

e2e: ## the system in containers (needs a Docker engine)
	$(GO) test -run E2E -count=1 -v -timeout 30m ./harness/docker

