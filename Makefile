# One command a chore, the same on a laptop and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: serve test check audit format bench bench-peers bench-scaling torture verify mutants screenshots clean
.DEFAULT_GOAL := help

help:
	@echo "make serve   start the emulator on 127.0.0.1:8080"
	@echo "make test    set up what the tests need, and run them"
	@echo "make check   ruff, ruff format, mypy --strict"
	@echo "make audit   bandit over the code, pip-audit over the pins"
	@echo "make bench   measure against a floor in the same run (needs wrk)"
	@echo "make bench-peers    the same beside Prism, Mockoon, aimock and moto (needs npm)"
	@echo "make bench-scaling  workers on PostgreSQL, stored tasks, accounts"
	@echo "make torture kill, race and load servers, and check what their clients saw"
	@echo "make verify  run the contract kit against the emulator, both profiles; leaves an HTML page"
	@echo "make mutants measure the kit: which seeded bugs does it find?"
	@echo "make screenshots  a picture of each page in each look, into screenshots/"
	@echo "make format  format and sort imports"

# A stamp for each environment: made anew when the pins change.
$(VENV)/.serve: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(VENV)/.serve $@

serve: $(VENV)/.serve
	@exec $(BIN)/gpt-image-emulator serve $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m scripts.browser
	@$(BIN)/python -m scripts.postgres
	@$(BIN)/python -m scripts.nginx
	$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(VENV)/.dev
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml emulator contracts
	$(BIN)/python -m scripts.audit

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/bench.py $(ARGS)

bench-peers: $(VENV)/.dev
	$(BIN)/python -m benchmarks.peers $(ARGS)

bench-scaling: $(VENV)/.dev
	@$(BIN)/python -m scripts.postgres
	$(BIN)/python -m benchmarks.scaling $(ARGS)

torture: $(VENV)/.dev
	@$(BIN)/python -m scripts.postgres
	$(BIN)/python -m scripts.torture $(ARGS)

verify: $(VENV)/.dev
	$(BIN)/python -m scripts.verify $(ARGS)

mutants: $(VENV)/.dev
	$(BIN)/python -m scripts.mutants --schemathesis-seeds 5 --keep .mutants.jsonl $(ARGS)

screenshots: $(VENV)/.dev
	@$(BIN)/python -m scripts.browser
	$(BIN)/python -m scripts.screenshots $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
