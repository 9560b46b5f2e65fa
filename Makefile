# What a contributor does here, one target each. `make` alone lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
DENY := target/tools/bin/cargo-deny

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- The two commands ------------------------------------------------------------------------

.PHONY: run
run: ## build trainshift and serve the webhook on its built-in defaults; no cluster needed
	@cargo run --release --bin trainshift -- serve

.PHONY: test
test: control-plane sdk ## pass every test, those against the real control plane too (first time: builds it)
	@cargo test --tests
	@TRAINER=$(OLDER) cargo test --test cluster

# --- What CI asks besides ---------------------------------------------------------------------

.PHONY: check
check: $(DENY) ## format, lints, licences and bans, generated documents up to date
	@cargo fmt --check
	@cargo fmt --check --manifest-path fuzz/Cargo.toml
	@cargo clippy --all-targets --quiet -- -D warnings
	@cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target/fuzz --quiet -- -D warnings
	@$(DENY) --log-level error check bans licenses sources
	@$(DENY) --manifest-path fuzz/Cargo.toml --log-level error check bans licenses sources
	@$(MAKE) --no-print-directory docs
	@git diff --exit-code --stat -- docs deploy || { echo "generated files were out of date: commit what 'make docs' wrote"; exit 1; }

.PHONY: docs
docs: ## write what is generated: the pages of docs/ that the program knows better, and deploy/base
	@cargo build --quiet --bin trainshift
	@target/debug/trainshift generate cli-docs > docs/cli.md
	@target/debug/trainshift explain --output markdown > docs/findings.md
	@target/debug/trainshift generate conversion-docs > docs/conversion.md
	@target/debug/trainshift generate policy-docs > docs/policy-fields.md
	@target/debug/trainshift policy check --explain --output markdown > docs/policy-checks.md
	@for what in crd rbac runtimes webhook; do target/debug/trainshift generate $$what > deploy/base/$$what.yaml; done

.PHONY: bench
bench: ## measure what README promises (several minutes)
	@cargo bench

.PHONY: tools
tools: $(DENY)

$(DENY):
	@echo "installing cargo-deny"
	@cargo install --quiet --locked --root target/tools --target-dir target/tools/build --version 0.20.2 cargo-deny

# --- Parity -----------------------------------------------------------------------------------

MINORS := 2.0 2.1 2.2 2.3

.PHONY: parity
parity: control-plane ## compare the pods of v1 and v2, on Trainer 2.3 and 2.0 (part of `make test`)
	@cargo test --test cluster -- parity
	@TRAINER=$(OLDER) cargo test --test cluster -- parity

.PHONY: parity-all
parity-all: control-plane-all sdk ## the same on every minor, with 500 random jobs; write docs/parity.md
	@set -e; for minor in $(MINORS); do \
		PARITY=write PARITY_JOBS=500 PARITY_SEED=$$(date +%s) TRAINER=$$minor cargo test --test cluster; done

.PHONY: mutants
mutants: control-plane ## break conversions on purpose, and see that the comparison names each (part of `make test`)
	@cargo test --test cluster -- parity::mutants

# --- The control plane that tests run against ------------------------------------------------

# One Go module per upstream program: what is compiled, and from which sources, is its go.mod and
# go.sum and nothing else. A second minor of Trainer or JobSet is a second folder.
TOOLS := tests/cluster/tools
BIN := $(CURDIR)/target/control-plane/bin
CONTROL_PLANE := $(patsubst $(TOOLS)/%/go.mod,$(BIN)/%/.built,$(wildcard $(TOOLS)/*/go.mod))
# The minor of Trainer that tests run on besides the newest: of all that are left it differs most.
OLDER := 2.0
ON_DEMAND := trainer-2.1 jobset-0.10 trainer-2.2 jobset-0.11

.PHONY: control-plane
control-plane: $(filter-out $(ON_DEMAND:%=$(BIN)/%/.built),$(CONTROL_PLANE)) ## build what tests need: Kubernetes, JobSet, Trainer 2.3 and 2.0, v1 (first time: about 12 minutes)

.PHONY: control-plane-all
control-plane-all: $(CONTROL_PLANE) ## build the same with every minor of Trainer (4 minutes more)

# `go build` names a binary after the last element of its package path, which for etcd is "server".
$(BIN)/etcd-%/.built: OUTPUT := etcd
# Kubernetes learns its version from the linker only; without it the API server says v0.0.0-master.
$(BIN)/kubernetes-%/.built: LDFLAGS = $(foreach package,k8s.io/component-base/version k8s.io/client-go/pkg/version, \
	-X $(package).gitVersion=$(call version_of,k8s.io/kubernetes))
version_of = $(shell awk '$$1 == "$(1)" { print $$2 }' $(TOOLS)/$*/go.mod)

$(BIN)/%/.built: $(TOOLS)/%/go.mod $(TOOLS)/%/go.sum
	@mkdir -p $(@D)
	@echo "building $*"
	@CGO_ENABLED=0 go build -C $(TOOLS)/$* -trimpath -ldflags "-s -w $(LDFLAGS)" -o $(@D)/$(OUTPUT) tool
	@touch $@

# The v2 SDK with all that it pulls in, in the versions that were tried.
SDK := target/sdk-venv

.PHONY: sdk
sdk: $(SDK)/.installed ## install the v2 Python SDK that tests call

$(SDK)/.installed: tests/cluster/sdk/requirements.txt
	@echo "installing $<"
	@python3 -m venv --clear $(SDK)
	@$(SDK)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# --- A cluster to try things on --------------------------------------------------------------

.PHONY: cluster
cluster: control-plane ## start a control plane with v1, JobSet and Trainer in the background, and say how to use it (TRAINER=2.0: an older one)
	@cargo build --quiet --bin trainshift --example cluster
	@cargo run --quiet --example cluster -- up

.PHONY: cluster-down
cluster-down: ## end what `make cluster` started
	@cargo run --quiet --example cluster -- down

# --- What takes more than CI should ------------------------------------------------------------

# Iterations over all targets. Inputs that reach something new stay in target/fuzz/corpus and are where the next run starts;
# one that fails is in target/fuzz/artifacts, and what it shows belongs into an ordinary test.
RUNS ?= 10000000
FUZZ := target/tools/bin/cargo-fuzz
FUZZ_TARGETS := convert review file
fuzz_runs = $(shell expr $(RUNS) / $(words $(FUZZ_TARGETS)) + 1)

.PHONY: fuzz fuzz-seeds $(FUZZ_TARGETS:%=fuzz-%)
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## fuzz the decoder, the reader of files and the converter (RUNS=10000000: about an hour)

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ) fuzz-seeds
	@mkdir -p target/fuzz/corpus/$* target/fuzz/artifacts/$*
	@echo "fuzzing $*: $(fuzz_runs) runs"
	@$(FUZZ) run --sanitizer none --fuzz-dir fuzz --target-dir target/fuzz $* target/fuzz/corpus/$* target/fuzz/seeds/$* -- \
		-runs=$(fuzz_runs) -max_len=8192 -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_funcs=0 -print_final_stats=1 \
		-artifact_prefix=target/fuzz/artifacts/$*/ $(patsubst %,-dict=%,$(wildcard fuzz/$*.dict))

fuzz-seeds:
	@cargo run --quiet --example fuzz-seeds -- target/fuzz/seeds

$(FUZZ):
	@echo "installing cargo-fuzz"
	@cargo install --quiet --locked --root target/tools --target-dir target/tools/build --version 0.13.2 cargo-fuzz

.PHONY: launch
launch: control-plane ## run the processes of a job's pods under PyTorch: how many worlds form (needs python3-torch; TRAINER=2.0: an older Trainer)
	@cargo build --quiet --bin trainshift --example cluster
	@cargo run --quiet --example cluster -- launch
