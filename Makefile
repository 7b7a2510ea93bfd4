# Everything happens in .venv; nothing is installed elsewhere. `make help` lists the targets.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
PIP_ARGS ?=
PY := .venv/bin/python
DATAKIT := .venv/bin/datakit

.PHONY: help install demo test torture check check-types check-pages format docs bench clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/installed ## set up .venv with the datakit command

.venv/installed: setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11; use another: make install PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) \
		$(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[dev]'
	@touch .venv/installed

demo: install ## the whole story on an embedded sample: data, shards, preview, a segmented clip, its score
	rm -rf demo
	$(DATAKIT) sample-data demo/data
	$(DATAKIT) build-shards demo/data/ecssd coco=demo/data/coco/annotations/instances_val2017.json \
		--recipe masktrack --recipe masktrack-box --out demo/shards -j 2
	$(DATAKIT) verify demo/shards
	$(DATAKIT) inspect demo/shards
	$(DATAKIT) preview-deformations demo/shards --out demo/preview.png
	$(DATAKIT) score demo/shards --limit 24 --picture demo/refined.png
	$(DATAKIT) propagate demo/data/davis/JPEGImages/480p/crossing \
		--mask demo/data/davis/Annotations/480p/crossing/00000.png --out demo/results
	$(DATAKIT) evaluate demo/results demo/data/davis/Annotations/480p --convention davis2017 --html demo/scores.html
	@echo "Look at demo/preview.png (guide masks), demo/refined.png (what the network makes of them),"
	@echo "demo/results/_report/crossing/overlay.mp4 (the segmented clip) and demo/scores.html (its score, frame by frame)"

test: install ## the whole test suite
	$(PY) -m pytest -q -n 2 --dist loadfile --durations=10

torture: install ## the long fault and fuzz loops, about an hour
	DATAKIT_TORTURE=1 $(PY) -m pytest -q -m torture --timeout 7200

check: install ## formatting, lint, types, API pages without warnings
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	@$(MAKE) --no-print-directory -j2 check-types check-pages

check-types:
	$(PY) -m mypy

check-pages:
	$(PY) -m tools.api_pages --check

format: install ## put the source in its standard form
	$(PY) -m ruff check --fix --exit-zero .
	$(PY) -m ruff format .

docs: install ## API pages from the docstrings, into build/api
	$(PY) -m tools.api_pages build/api

bench: install ## speed figures, as ratios, into benchmarks/results
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) \
		$(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[bench]'
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps \
		litdata vos-benchmark scikit-image lazy_loader tqdm
	$(PY) -m benchmarks

clean: ## remove what the targets above made
	rm -rf .venv demo build benchmarks/work *.egg-info
