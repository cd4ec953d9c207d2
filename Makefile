# make demo: everything once, offline, on sample data.   make test: everything that CI checks.
# Both create their own environment first; PYTHON and VENV may be overridden.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := build/demo
TEAMS := $(addprefix tests/predictions/,three-nets.txt fine-tuned.txt fine-tuned-longer.txt linear-probe.txt from-scratch.txt)

.PHONY: help setup demo test lint build bench quality clean

help:
	@echo "make demo    build the course, grade sample submissions, rank sample predictions"
	@echo "make test    everything that CI checks"
	@echo "make lint    only formatting, style and types"
	@echo "make build   rebuild the lessons after a change in source/"
	@echo "make bench   speed of the reference solution, as ratios against named peers"
	@echo "make quality how good the checks are: mutants, right answers, names of bugs; an hour"
	@echo "make clean   remove what these made"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@cp -r course.toml nbgrader_config.py source $(DEMO)
	@echo "── build the course" && $(BIN)/autograder build --course $(DEMO)
	@echo "── hand in sample submissions" && $(BIN)/autograder samples tests/submissions/2-convolution --into $(DEMO)
	@echo "── grade them (one is broken on purpose: it is reported, and the batch goes on)"
	@$(BIN)/autograder grade 2-convolution --course $(DEMO) || test $$? = 1
	@echo "── marks" && $(BIN)/autograder marks 2-convolution --course $(DEMO)
	@echo "── leaderboard"
	@$(BIN)/autograder leaderboard board $(TEAMS) --truth tests/predictions/truth.txt --json $(DEMO)/board.json
	@echo "── both as a page, with links to the feedback"
	@$(BIN)/autograder page 2-convolution --course $(DEMO) --board $(DEMO)/board.json

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

build: $(READY)
	$(BIN)/autograder build

bench: $(READY)
	$(BIN)/python benchmarks/convolution.py
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/loading.py
	$(BIN)/python benchmarks/training.py

quality: $(READY)
	$(BIN)/python -m benchmarks.quality

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
