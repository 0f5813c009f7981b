# make help lists the targets. A fresh machine needs Python >= 3.11 and make, nothing else.

SHELL   := /bin/bash
VENV    := .venv
BIN     := $(VENV)/bin
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# Nothing of another Python, and nothing into another folder than the environment.
export PIP_USER = 0
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX

.DEFAULT_GOAL := help
.PHONY: help environment book test page notebooks labs instances edits numerics lint format bench gpu-compile colab lowest repository release clean distclean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

environment:
	@bash tools/make_env.sh $(VENV) requirements.txt

# After a failed build the pages are read anew: Sphinx would skip the ones it has seen, and
# with them the warning. (What the cells printed is kept: that cache is another folder.)
book: environment ## build the book; warnings are errors
	@exec 9<book; $(BIN)/python tools/alone.py; \
	  $(BIN)/jupyter-book build . -W -n --keep-going 9<&- \
	  || { rm -rf _build/.doctrees _build/html; echo "The book was not built: see the first WARNING or ERROR above." >&2; exit 1; }
	@echo "The book: $(CURDIR)/_build/html/index.html"

# After the book, where both are asked for: it looks at the book that is built, and what this has
# run with the same package need not run again.
test: environment | $(filter book,$(MAKECMDGOALS)) ## unit tests, property tests, doctests, and every lecture that the book has not run
	@exec 9<book; $(BIN)/python tools/alone.py shared; \
	  ran=$$($(BIN)/python -m tools.executed) \
  && $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=10 --nbval-lax --nbval-cell-timeout=300 $$ran 9<&-

page: NAME = $(patsubst ./%,%,$(basename $(PAGE)))
page: ## PAGE=book/classical/eoq: check one page's style, make its twin, run it
	@[ -n "$(PAGE)" ] || { echo "Which page? For example: make page PAGE=book/classical/eoq" >&2; exit 1; }
	@$(MAKE) -s environment
	@$(BIN)/python -m tools.style $(NAME)
	@$(BIN)/python -m tools.notebooks
	@[ -e $(NAME).ipynb ] || { echo "$(NAME) has no code to run."; exit; }; \
	  JAX_PLATFORMS=cpu JAX_DEBUG_KEY_REUSE=1 LECTURES_STRICT=1 $(BIN)/python -m pytest -q --nbval-lax --nbval-cell-timeout=300 $(NAME).ipynb

notebooks: environment ## make the .ipynb twins of the lectures
	@$(BIN)/python -m tools.notebooks

labs: environment ## renew what the lab sheets check; write the sheets for Otter-Grader to _build/labs
	@$(BIN)/python -m tools.notebooks # from which the sheets for Otter are made
	@$(BIN)/python -m tools.labs

instances: environment ## compute the solved instances again, in some minutes; with LARGE=1 the largest, too
	@$(BIN)/python -m tools.instances $(if $(LARGE),--large)

edits: environment ## run every lecture with a reader's changes and with other seeds
	@$(BIN)/python -m tools.edits $(PAGE)

numerics: environment ## run every lecture in 64 bits, in fast arithmetic, on 3 and 8 devices, as on a GPU
	@bash tools/numerics.sh

lint: environment ## check style, types and likely bugs, of code and of text
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -m tools.style

format: environment ## put the code into the common format
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

# On Linux MDPax asks for jax[cuda12], gigabytes that a CPU has no use for, and that may replace
# jax: so it comes without what it asks for, and what it needs is among the requirements.
bench: environment ## measure the kernels against their peers on this machine
	@$(BIN)/python -m pip install -qq -r benchmarks/requirements.txt
	@$(BIN)/python -m pip install -qq --no-deps "mdpax>=0.2,<0.3" \
	  || echo "MDPax was not installed; the benchmarks go on without it."
	@$(BIN)/python -m pip install -qq --no-deps "stockpyl>=1.0,<2" \
	  || echo "Stockpyl was not installed; the benchmarks go on without it."
	@$(BIN)/python -m benchmarks

gpu-compile: ## compile every kernel for GPUs that are not here, and count what they launch
	@bash tools/gpu_compile.sh --output benchmarks/results/compiled-gpu.json

colab: ## run the lectures in a twin of Colab's environment (needs Python 3.13)
	@bash tools/colab.sh

lowest: ## run everything on the lowest versions that pyproject.toml allows (needs Python 3.11)
	@bash tools/lowest.sh

repository: ## REPO=owner/name: write the repository's address everywhere
	@python=$$(bash tools/find_python.sh) && "$$python" -m tools.repository $(REPO)

release: VERSION ?=
release: ## VERSION=0.2.0: build the package and check it as strangers meet it, commit, tag
	@python=$$(bash tools/find_python.sh) && "$$python" -m tools.release $(VERSION)

clean: ## remove what the build made
	rm -rf _build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info

distclean: clean ## ... and the environments
	rm -rf .venv .venv-colab .venv-lowest .venv-gpu
