# Every target is one line: tools/setup.py installs what is missing, then does the job.
# Arguments for the job go into ARGS, e.g. make test ARGS="tests/rules -x"

PYTHON ?= python3
SETUP = @$(PYTHON) tools/setup.py
.DEFAULT_GOAL := help
.PHONY: help demo test lint format messages bench wheel lock

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Provider, sandbox and sample portals on this machine, with data to try
	$(SETUP) demo $(ARGS)

test: ## The whole test suite on real PostgreSQL, Redis and Chromium
	$(SETUP) test $(ARGS)

lint: ## ruff, mypy --strict and the import contracts
	$(SETUP) lint

format: ## Mend what ruff can mend
	$(SETUP) format

messages: ## Bring the message catalogues up to date with the sources
	$(SETUP) messages

bench: ## Requests a second beside npm's oidc-provider, here (ARGS=--help)
	$(SETUP) bench $(ARGS)

wheel: ## Source distribution and wheel, into dist/
	$(SETUP) wheel

lock: ## Resolve the dependencies anew and write constraints.txt
	$(SETUP) lock
