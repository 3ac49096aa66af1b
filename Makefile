# The commands of this project. Each one sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test test-slurm lint format docs wheel clean

quickstart: $(VENV)/.installed
	$(BIN)/renaissance train quickstart

test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# A job on a Slurm cluster of two nodes on this machine; the packages come from Debian or Ubuntu.
test-slurm: $(VENV)/.installed .slurm/usr/sbin/slurmctld-wlm
	$(BIN)/python -m pytest tests/compiler/launching

.slurm/usr/sbin/slurmctld-wlm:
	tests/compiler/launching/get_slurm.sh .slurm

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed
	$(BIN)/python -m renaissance.grammar.reference > docs/language.md

wheel: $(VENV)/.installed
	$(BIN)/python -m build

# Installed once and again whenever the dependencies change.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
