# make demo: from a fresh checkout to the console.  make test: the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test setup setup-dev check lock clean

demo: setup
	$(BIN)/policydesk ingest data_samples/policies data_samples/formats --home .demo
	$(BIN)/policydesk serve --home .demo --region 900100

test: setup-dev
	$(BIN)/python -m pytest -q

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

setup: $(VENV)/core.done
setup-dev: $(VENV)/dev.done

$(VENV)/core.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "PolicyDesk needs Python 3.11 or newer. Try: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/dev.done: $(VENV)/core.done requirements-dev.lock
	$(BIN)/python -m pip install --quiet -r requirements-dev.lock
	@touch $@

# The same versions on every machine; needs uv.
lock:
	uv pip compile --universal --no-emit-index-url --no-header -q pyproject.toml -o requirements.lock
	uv pip compile --universal --no-emit-index-url --no-header -q pyproject.toml --extra dev --extra generate --extra ocr --extra postgres --extra zstd \
		-c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .demo
