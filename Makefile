# Everything works from a fresh clone: no root, no ROS, no environment variables.
# Quick when nothing changed; a sourced ROS installation is used instead of ROS from PyPI.
PYTHON ?= python3
VENV ?= $(or $(VIRTUAL_ENV),.venv)
HEADLESS ?= 1
DEMO_ARGS ?=
TEST_ARGS ?=
TEST_JOBS ?= 2

MAKE_ENVIRONMENT = $(PYTHON) -m magma_ros.tools.environment --venv $(VENV)

.DEFAULT_GOAL := help
.PHONY: help environment demo test test-moveit lint train-nano loop bench clean

help:
	@echo 'make demo         a simulated WidowX moves from pixels and a sentence'
	@echo '                  HEADLESS=0 shows a window; DEMO_ARGS="..." goes to magma demo'
	@echo 'make test         all tests (installs torch; TEST_ARGS="..." goes to pytest)'
	@echo '                  two processes side by side; TEST_JOBS=0 for one'
	@echo '                  on a machine without a GPU set PIP_EXTRA_INDEX_URL to'
	@echo '                  https://download.pytorch.org/whl/cpu first: 2 GB less'
	@echo 'make test-moveit  the tests of the Servo adapters against an installed MoveIt'
	@echo 'make lint         ruff and mypy'
	@echo 'make bench        the numbers of the README, measured here'
	@echo 'make train-nano   train the small policy again (installs torch)'
	@echo 'make loop         record, finetune and measure what it brought, in simulation (installs torch)'
	@echo 'make environment  only what the demo needs; PYTHON=python3.12 chooses another Python'
	@echo 'make clean        delete build products and .venv'

environment:
	@$(MAKE_ENVIRONMENT)

demo: environment
	@$(VENV)/bin/magma demo $(if $(filter 0,$(HEADLESS)),--view) $(DEMO_ARGS)

test:
	@$(MAKE_ENVIRONMENT) --extras finetune serve test torch
	$(VENV)/bin/python -m pytest -n $(TEST_JOBS) --dist loadfile $(TEST_ARGS)

# Fails, and says what is missing, where there is no MoveIt; make test never needs it.
test-moveit:
	@$(MAKE_ENVIRONMENT) --extras test
	MAGMA_TEST_SERVO=moveit $(VENV)/bin/python -m pytest test/ros/test_servo_contract.py $(TEST_ARGS)

lint:
	@$(MAKE_ENVIRONMENT) --extras serve test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: environment
	@$(VENV)/bin/magma bench

train-nano:
	@$(MAKE_ENVIRONMENT) --extras torch
	@$(VENV)/bin/magma train-nano

loop:
	@$(MAKE_ENVIRONMENT) --extras data finetune
	@$(VENV)/bin/magma loop --folder runs/loop

clean:
	rm -rf .venv build install log *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
