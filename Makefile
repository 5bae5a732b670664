# What one does here every day. Python 3.11 or newer with venv and pip is all that has to be there;
# README.md has the same in plain pip commands, for where there is no make.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.installed-from-lock
JOBS ?= 2

.PHONY: run test check torture bench screenshot lock clean

run: $(READY)          ## start the dashboard; until the first upload it shows the simulated valley
	$(PY) -m streamlit run app.py

test: $(READY)         ## everything but the long runs, browser tests included, offline
	$(PY) -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

check: $(READY)        ## form, lint, types, floors
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

torture: $(READY)      ## long property, kill and fault runs; takes a night, or ARGS="-k kill"
	COMMONSIGHT_TORTURE=1 $(PY) -m pytest -m torture $(ARGS)

bench: $(READY)        ## each prints a table and a ratio from one run
	for script in benchmarks/*.py; do echo "== $$script"; PYTHONPATH=. $(PY) $$script || exit 1; done

screenshot: $(READY)   ## docs/images/map.png, from the demonstration
	$(PY) docs/images/take.py

lock: $(READY)         ## requirements.lock anew, for every platform and Python from 3.11
	$(PY) -m pip install --quiet "uv>=0.13,<0.14"
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header \
	    --output-file requirements.lock requirements.txt requirements-dev.txt

clean:                 ## remove what the tools left; never var/, which holds readings
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .screenshots

$(READY): requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Commonsight needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 run")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@
