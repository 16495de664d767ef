# Two commands to see and to trust: make demo, make test. Each does its own set-up.
# make check   ruff, mypy --strict, import-linter
# make faults  kills, power cuts, broken disks, long outages in full (an hour); ANSIM_FAULT_KILLS=50 for a few
# make docs    writes what is generated from the types
# make lock    writes the pinned, hashed locks (make lock UPGRADE=--upgrade for newer versions)
# make model   trains the network again (TensorFlow, in an environment of its own; minutes)
# make test-hardware  the same senses on real bluetoothd, kernel pins and systemd, in a virtual machine
# make messages  collects the sentences for people and compiles the Korean catalogue

export PATH := $(PATH):/usr/sbin:/sbin
# Figures and texts come out the same on every machine.
export PYTHONUTF8 := 1

BIN := .venv/bin

.PHONY: demo test faults check docs lock messages model clean setup

demo:
	@packaging/setup.sh hub
	@$(BIN)/ansim-office demo

test:
	@packaging/setup.sh test
	@ANSIM_OTHER_PYTHON="$${ANSIM_OTHER_PYTHON:-$$(ls -d $(CURDIR)/.venv/other/bin/python 2>/dev/null)}" \
		$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

faults:
	@packaging/setup.sh test
	ANSIM_FULL=1 $(BIN)/python -m pytest -q -m full
	@PYTHONPATH=$(CURDIR) $(BIN)/python -m tests.faults

check:
	@packaging/setup.sh dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs:
	@packaging/setup.sh dev
	$(BIN)/python -m gateway.settings.document en > docs/settings.md.new
	mv docs/settings.md.new docs/settings.md
	$(BIN)/python -m gateway.settings.document ko > docs/settings.ko.md.new
	mv docs/settings.ko.md.new docs/settings.ko.md
	$(BIN)/python -m gateway.contract.generate

messages:
	@packaging/setup.sh dev
	$(BIN)/python -m gateway.languages.catalogue

model:
	@packaging/setup.sh hub
	@test -x .venv/train/bin/ansim || \
		{ $(BIN)/python -m venv .venv/train && .venv/train/bin/pip install -q -e '.[train]'; }
	.venv/train/bin/python -m models.training --seed 1

lock:
	@packaging/setup.sh hub
	packaging/lock.sh $(UPGRADE)

setup:
	@packaging/setup.sh test

include packaging/vm/hardware.mk

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	rm -rf ./*.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
