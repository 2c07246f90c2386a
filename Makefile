# Everything a person or CI runs. `make demo` and `make test` set up by themselves.
.DEFAULT_GOAL := help
PYTHON_BIN := .venv/bin
PYTEST := $(PYTHON_BIN)/pytest
FAULT ?= db-dead
# Hundreds of processes start here: all but the first find their modules as bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev packages demo run check fmt docs test test-bounds test-nojit bench proto lock wheel

help:  ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 24

setup:
	@tools/setup.sh run

setup-dev:
	@tools/setup.sh dev

packages:
	@tools/debian-packages.sh

demo: setup  ## break something in a small enterprise and watch btimd find it (FAULT=db-hung make demo)
	@$(PYTHON_BIN)/btimd demo --fault $(FAULT)

run: setup  ## run the daemon on the sample configuration
	@$(PYTHON_BIN)/btimd run -c config

fmt: setup-dev  ## format the code
	@$(PYTHON_BIN)/ruff format .
	@$(PYTHON_BIN)/ruff check --fix .

docs: setup-dev  ## write the generated parts of docs/
	$(PYTHON_BIN)/python tools/docs.py
	$(PYTHON_BIN)/python tools/lifecycle_diagram.py

check: setup-dev  ## lint, types, import contracts, architecture
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/mypy
	$(PYTHON_BIN)/lint-imports
	$(PYTEST) -q tests/architecture

test: setup-dev packages  ## all tests, with real servers
	$(PYTEST) -q -n 3 --dist loadfile --no-loadscope-reorder

test-bounds: setup-dev  ## kernels with every index checked
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$$(mktemp -d) $(PYTEST) -q tests/kernels

test-nojit: setup-dev  ## kernels as plain Python
	NUMBA_DISABLE_JIT=1 $(PYTEST) -q tests/kernels

bench: setup-dev  ## btimd beside nfacctd and nfcapd, measured here; BENCH="" for all of it
	$(PYTHON_BIN)/python -m bench.flows $(if $(filter undefined,$(origin BENCH)),--quick,$(BENCH))

proto: setup-dev  ## generate btimd/api/pb from proto/
	$(PYTHON_BIN)/python tools/proto.py

lock: setup-dev  ## write constraints.txt anew (needs uv in .venv)
	$(PYTHON_BIN)/python -m pip install -q uv
	$(PYTHON_BIN)/uv pip compile -q --universal --python-version 3.11 pyproject.toml --all-extras --no-header -o constraints.txt

wheel: setup-dev  ## build the wheel
	$(PYTHON_BIN)/python -m pip wheel -q --no-deps -w dist .
