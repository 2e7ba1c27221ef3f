# The commands of README. Set-up is pip into .venv from pinned constraints; a second run starts in seconds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Servers that tests talk to and that cannot live in .venv (pycsw needs an older SQLAlchemy).
PEERS := .peers
PEERS_READY := $(PEERS)/.ready
EXTRAS := notebook,xarray,s3,postgres,test
MINUTES ?= 30
# Two cores are never busy with two workers: tests wait for servers, kernels and browsers.
JOBS ?= 3
export OSEO_LAB_SHARED ?= $(abspath ../shared)

.PHONY: setup demo lab test test-long check format bench notebooks lock clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit("oseo_lab needs Python 3.11 or newer: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	@echo "setting up $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(READY)

$(PEERS_READY): tests/peers/requirements.txt | $(READY)
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "setting up $(PEERS): pycsw and ipykernel 6, for tests (once) ..."
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/peers/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(PEERS)/ipykernel6 ipykernel==6.31.0
	@touch $(PEERS_READY)

demo: $(READY)
	@$(BIN)/oseo-lab demo

lab: $(READY)
	@$(BIN)/oseo-lab lab notebooks/01_first_order.ipynb

test: $(READY) $(PEERS_READY)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-long: $(READY) $(PEERS_READY)
	@OSEO_LAB_TEST_MINUTES=$(MINUTES) $(BIN)/python -m pytest -m long -s

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/vulture

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY)
	@$(BIN)/python -m tests.benchmarks

# The notebooks as they are kept: executed anew, with what they show.
notebooks: $(READY)
	@$(BIN)/python -m tests.notebooks

# Run it with the oldest Python we promise (make lock PYTHON=/usr/bin/python3.11 on Debian bookworm: 3.11.2),
# so that nothing in the file asks for more.
lock:
	@rm -rf .lock && $(PYTHON) -m venv .lock
	@.lock/bin/python -m pip install --quiet --disable-pip-version-check '.[$(EXTRAS)]'
	@{ echo "# What make setup installs: made by make lock with Python $$(.lock/bin/python -c 'import platform as p; print(p.python_version())')."; \
	   .lock/bin/python -m pip freeze --exclude oseo-lab; } > constraints.txt
	@rm -rf .lock

clean:
	rm -rf $(VENV) $(PEERS) .demo .bench test-artefacts
