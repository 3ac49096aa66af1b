# The commands of this project. Each one sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OLDEST ?= .venv-oldest
# Tests start interpreters of their own, which PYTHON in the environment would change, and which
# would compile all modules again and again if they might not keep what they compile.
unexport PYTHON PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test test-oldest test-slurm lint format docs wheel clean

quickstart: $(VENV)/.installed
	$(BIN)/renaissance train quickstart

# A test that stands still ends its process, after saying where all threads are.
test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile \
		--no-loadscope-reorder -o faulthandler_timeout=450 -o faulthandler_exit_on_timeout=true

# A job on a Slurm cluster of two nodes on this machine; the packages come from Debian or Ubuntu.
test-slurm: $(VENV)/.installed .slurm/usr/sbin/slurmctld-wlm
	$(BIN)/python -m pytest tests/compiler/launching

.slurm/usr/sbin/slurmctld-wlm:
	tests/compiler/launching/get_slurm.sh .slurm

# On the oldest versions that are supported, and the newest of all else: what depends on versions
# most, which is models, kernels (in Triton's interpreter), single steps, data and the dry runs of
# benchmarks. Left out are long runs, the grammar and the command line. Their torch warns of itself.
test-oldest: $(OLDEST)/.installed
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest --numprocesses auto --dist loadfile \
		-W 'ignore:`torch.jit.:DeprecationWarning' \
		-W 'ignore:The given buffer is not writable:UserWarning' tests/compiler tests/benchmarks \
		tests/runtime/data tests/runtime/feature_cache tests/runtime/training/test_step.py \
		tests/runtime/training/test_low_precision.py tests/runtime/training/test_compiled_run.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed
	$(BIN)/python -m renaissance.grammar.reference > docs/language.md
	$(BIN)/python -m renaissance.editor.textmate > editors/vscode/syntaxes/vl.tmLanguage.json

wheel: $(VENV)/.installed
	$(BIN)/python -m build

# Installed once and again whenever the dependencies change.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

$(OLDEST)/.installed: pyproject.toml
	$(PYTHON) -m venv $(OLDEST)
	sed -n '/^dependencies/,/^]/s/^ *"\([^>]*\)>=\([^,"]*\).*/\1==\2/p' $< > $(OLDEST)/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --constraint $(OLDEST)/oldest.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info
