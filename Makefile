# Everything a person does with this tree, as one word each.  `make` alone lists the words.
#
# All work happens in .venv; the only Python used from outside is the one that creates it.

SHELL := /bin/sh
PY := .venv/bin/python
INSTALLED := .venv/.installed

# One worker per core, at most four: each has a PostgreSQL of its own.  The tests mostly wait for the disk;
# on two cores two workers need 60 s where one process needs 99 s.  For a few tests WORKERS=0 is quicker.
WORKERS ?= auto
ARGS ?=
KEEP ?=
export REQUIRE_SERVERS ?=
export FORCE ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate test-deps check format samples bench bench-full

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED)  ## create .venv and install everything into it
	@:

$(INSTALLED): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh

demo: setup  ## send the sample mails through a fresh agent (KEEP=1 leaves it running)
	@$(PY) samples/demo.py $(if $(KEEP),--keep)

test: setup  ## run the tests (ARGS="tests/store -k ledger", WORKERS=0, REQUIRE_SERVERS=1)
	@$(PY) -m pytest -n $(WORKERS) --maxprocesses 4 $(ARGS)

simulate: setup  ## book twenty resources by 20,000 random messages and check everything (SIMULATED=1000 for fewer)
	@SIMULATED=$${SIMULATED:-20000} $(PY) -m pytest -q -s tests/proof/test_booking_simulation.py -k whole

test-deps:  ## as root: install the servers that the tests drive, without starting them
	@scripts/test-deps.sh

check: setup  ## format, lint, strict types and the import law; any warning is an error
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -m pytest -q tests/test_import_law.py

samples: setup  ## write samples/dagent.toml anew from the settings
	@.venv/bin/kopano-dagent --sample-config > samples/dagent.toml

bench: setup  ## mails and bookings per second, beside a Dovecot if there is one (root, dovecot-lmtpd); 3 minutes
	@$(PY) -m bench.field --cells short --rounds 3 --seconds 2
	@$(PY) -m bench.bookings --sizes 100,10000 --rounds 3
	@$(PY) -m bench.decisions --sizes 100,10000 --rounds 3
	@$(PY) -m bench.startup --rounds 3
	@$(PY) -m bench.rules

bench-full: setup  ## every size, 1 to 50 sessions, 1 and 10 recipients, 100,000 bookings; half an hour
	@$(PY) -m bench.field --cells full --rounds 5 --seconds 3 --imap
	@$(PY) -m bench.bookings --sizes 100,10000,100000 --rounds 7
	@$(PY) -m bench.decisions --sizes 100,1000,10000,100000 --rounds 7
	@$(PY) -m bench.startup --rounds 15

format: setup  ## format the code and sort its imports
	@$(PY) -m ruff check --select I --fix .
	@$(PY) -m ruff format .
