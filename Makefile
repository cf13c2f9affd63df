.PHONY: demo test check
demo:
	python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e . && .venv/bin/surefoot demo
test:
	test -d .venv || python3 -m venv .venv
	.venv/bin/pip install -c constraints.txt -e '.[dev]' && .venv/bin/pytest
check:
	bash .ci/run
