# Menshen: the ways in. `make` alone says which there are.

SHELL := /bin/sh
CARGO ?= cargo
# Cargo.lock decides: a build here is the build that was tested.
LOCKED ?= --locked
DENY_VERSION := 0.20.2
DEB_VERSION := 3.8.0
SBOM_VERSION := 0.5.9
FUZZ_VERSION := 0.13.2
AXE_VERSION := 4.10.3
SCHEMATHESIS_VERSION := 4.32.5
# Seconds for each of the fuzzer's targets.
FUZZ_SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help deps deps-demo deps-test vm axe cargo demo test torture load fuzz fuzz-api fmt lint doc picture deny deb sbom sign trial soak arm64 bench ci

help: ## Say what can be made
	@echo "Menshen: fever screening at a building's door"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

deps: deps-test ## Install what building and testing need (Debian, Ubuntu)

deps-demo: ## Install what the demonstration needs: C compiler, libclang, mosquitto
	@deploy/deps.sh demo

deps-test: ## Install what the tests need: also a browser and Chinese fonts
	@deploy/deps.sh test

vm: ## Fetch the guest in which cameras are tested on a real kernel (90 MB, once)
	@tests/vm/setup.sh || [ $$? = 77 ]

axe: ## Fetch axe-core by npm (MPL-2.0; for tests only), by which pages are tried for everybody's use
	@if [ -e target/axe/package/axe.min.js ]; then exit 0; fi; \
	if ! command -v npm >/dev/null 2>&1; then echo "axe: no npm here: pages are not tried with axe-core"; exit 0; fi; \
	mkdir -p target/axe && cd target/axe && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && \
	    tar xzf axe-core-$(AXE_VERSION).tgz || echo "axe: npm cannot reach its registry: pages are not tried with axe-core"

cargo:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
	    echo "make: there is no cargo here" >&2; \
	    echo "hint: install Rust from https://rustup.rs (version 1.95 or later), open a new shell" >&2; \
	    exit 1; }

demo: cargo deps-demo ## Show the whole gateway with a simulated camera (ARGS="--port 8090")
	$(CARGO) build --release $(LOCKED)
	target/release/menshen demo $(ARGS)

test: cargo deps-test vm ## Run every test (make axe before it: pages for everybody's use, too)
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	    set -x; $(CARGO) nextest run $(LOCKED) --no-fail-fast --config-file tests/nextest.toml && $(CARGO) test --doc $(LOCKED); \
	else \
	    set -x; $(CARGO) test $(LOCKED); \
	fi

load: cargo ## The pages under load for 5 minutes: 1000 listeners and 20 viewers (MENSHEN_LOAD_SECONDS=300)
	$(CARGO) test $(LOCKED) --test load -- --ignored --nocapture

torture: cargo ## Long trials: 2000 kills, 20 000 power cuts, 2000 damaged files, 200 brokers that forget, 200 collectors killed, a million senseless messages, 100 000 rows, 5000 half-open connections (about 20 minutes)
	MENSHEN_TEST_CONNECTIONS=5000 $(CARGO) test $(LOCKED) --test tls thousands -- --nocapture
	MENSHEN_TEST_KILLS=2000 $(CARGO) test $(LOCKED) --test store kills_at_any_moment -- --nocapture
	MENSHEN_TEST_CUTS=20000 $(CARGO) test $(LOCKED) --test disk power_cut -- --nocapture
	MENSHEN_TEST_DAMAGES=2000 $(CARGO) test $(LOCKED) --test store_damage whatever -- --nocapture
	MENSHEN_TEST_RESTARTS=200 $(CARGO) test $(LOCKED) --test street forgets_everything -- --nocapture
	MENSHEN_TEST_COLLECTORS=200 $(CARGO) test $(LOCKED) --test street killed_in_turn -- --nocapture
	MENSHEN_TEST_NONSENSE=1000000 $(CARGO) test $(LOCKED) --test mqtt makes_no_sense -- --nocapture
	$(CARGO) test $(LOCKED) --test mqtt a_hundred_thousand -- --ignored --nocapture
	$(CARGO) test $(LOCKED) --test people a_hundred_thousand -- --ignored --nocapture

fmt: cargo ## Lay out the source
	$(CARGO) fmt

lint: cargo ## Look for what should not be there
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings

doc: cargo ## Build the source's documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --no-deps --document-private-items

picture: cargo ## Render the README's pictures again, with the simulator, the face model and a browser
	$(CARGO) build $(LOCKED)
	rm -rf target/picture
	target/debug/menshen simulate group --out target/picture --png
	cp target/picture/group.png deploy/pictures/lobby.png
	mkdir -p target/picture
	target/debug/menshen demo --port 8477 --folder target/picture/data --seconds 30 \
	    --scenario deploy/pictures/dashboard.toml > target/picture/demo.log 2>&1 & \
	until grep -q ALERT target/picture/demo.log; do sleep 0.5; done; \
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1145 \
	    --virtual-time-budget=1000 --screenshot=deploy/pictures/dashboard.png http://127.0.0.1:8477/; \
	wait
	deploy/pictures/first-start.sh target/debug/menshen deploy/pictures/first-start

deny: cargo ## Check licences and sources of the crates
	@$(CARGO) deny --version >/dev/null 2>&1 || \
	    $(CARGO) install cargo-deny --locked --version $(DENY_VERSION)
	$(CARGO) deny check licenses bans sources

# What is fuzzed is safe Rust: it needs no sanitizer.
fuzz: cargo ## Feed telemetry, frames, recordings and messages with anything (FUZZ_SECONDS=600 each)
	@$(CARGO) fuzz --version >/dev/null 2>&1 || \
	    $(CARGO) install cargo-fuzz --locked --version $(FUZZ_VERSION)
	@for target in telemetry frames cptv inbound; do \
	    RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run -s none --fuzz-dir tests/fuzz $$target -- \
	        -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 || exit 1; \
	done

fuzz-api: cargo ## Try the interface for programs against its description, with schemathesis (PyPI)
	$(CARGO) build $(LOCKED)
	SCHEMATHESIS_VERSION=$(SCHEMATHESIS_VERSION) tests/fuzz/api.sh

sbom: cargo ## Write down which crates are in the program, from Cargo.lock (CycloneDX; the same for the same commit)
	@$(CARGO) cyclonedx --version >/dev/null 2>&1 || \
	    $(CARGO) install cargo-cyclonedx --locked --version $(SBOM_VERSION)
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(CARGO) cyclonedx --format json --spec-version 1.5 \
	    --no-build-deps --describe crate --target x86_64-unknown-linux-gnu
	mkdir -p target/sbom
	sed 's|path+file://$(CURDIR)|path+file:///menshen|' menshen.cdx.json >target/sbom/menshen.cdx.json
	rm menshen.cdx.json

deb: cargo deps-demo sbom ## Build the Debian package, and look into it
	@$(CARGO) deb --version >/dev/null 2>&1 || \
	    $(CARGO) install cargo-deb --locked --version $(DEB_VERSION)
	$(CARGO) deb $(LOCKED) --strip --output target/debian/menshen.deb
	deploy/check-deb.sh target/debian/menshen.deb

sign: ## Sign the package (KEY=menshen.key, a key of deploy/sign.sh key), into target/release-files
	@[ -n "$(KEY)" ] || { echo "make: whose key? KEY=menshen.key (deploy/sign.sh key menshen.key makes one)" >&2; exit 1; }
	rm -rf target/release-files
	mkdir -p target/release-files
	cp target/debian/*.deb target/sbom/menshen.cdx.json target/release-files/
	deploy/sign.sh sign target/release-files $(KEY)

trial: cargo vm ## Install the package in a guest with systemd: camera, alert, kill -9, upgrades, full disk, power cut
	$(CARGO) test $(LOCKED) --test camera_vm --no-run
	$(CARGO) test $(LOCKED) --test camera_vm -- --ignored --exact trial::films_are_made
	tests/vm/trial.sh target/debian/menshen.deb \
	    "$$(ls -t target/debug/deps/camera_vm-* | grep -v '\.d$$' | head -n 1)" target/tmp/camera_vm

soak: cargo ## Seven simulated days: memory, descriptors, database, bytes written; and what the program needs
	$(CARGO) test --release $(LOCKED) --test soak -- --ignored --nocapture --test-threads=1

arm64: cargo ## Build for 64-bit ARM from Debian's packages alone, and run that under qemu-user
	CARGO=$(CARGO) deploy/arm64.sh target/arm64

bench: cargo ## Measure the CPU time of each stage, and of capture at a camera's pace
	$(CARGO) bench $(LOCKED) --bench stages --bench capture

ci: ## Do all that must pass
	@.ci/run
