# Waybill on one machine. `make run` and `make test` are each enough on a machine with Python >= 3.11 and make.

# The first Python on the PATH that is new enough; PYTHON=... takes another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed

# What a shop in production would have in its environment, for the checks that read the settings.
CHECK = DATABASE_URL=postgresql://waybill@localhost/waybill KAFKA_BOOTSTRAP_SERVERS=localhost:9092 \
	BANK_URL=https://bank.example SHOP_URL=https://shop.example ALLOWED_HOSTS=shop.example \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.PHONY: run test lint types layers checks pytest test-pages faults drill gallery budget messages bench format lock clean

run: $(INSTALLED)
	@exec $(BIN)/python -m stack run

test: lint types layers checks pytest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED)
	@$(CHECK) $(BIN)/mypy .

layers: $(INSTALLED)
	$(BIN)/lint-imports

# Without a database there is no history of migrations to compare with, and Django warns; the tests have one.
checks: $(INSTALLED)
	@$(CHECK) PYTHONWARNINGS=ignore::RuntimeWarning $(BIN)/python manage.py makemigrations --check --dry-run
	@$(CHECK) $(BIN)/python manage.py check --deploy --fail-level WARNING

pytest: $(INSTALLED)
	$(BIN)/python -m pytest

# What every page promises, in a browser: for everyone, by keyboard, on a narrow screen, with a policy, on the wire.
test-pages: $(INSTALLED)
	$(BIN)/python -m pytest -m pages tests/pages

# Every fault, the long ones too, and 25 seeds that each kill every process amid orders.
faults: $(INSTALLED)
	$(BIN)/python -m pytest -m "" tests/faults tests/test_order_flow.py tests/test_records.py workers/tests

# ORDERS and SEED choose another run; the same seed gives the same orders and the same faults.
drill: $(INSTALLED)
	@exec $(BIN)/python -m tests.drill

# Pictures of every page and state into docs/gallery; make gallery NAMES="home cart" draws those alone.
gallery: $(INSTALLED)
	@$(BIN)/python -m tests.gallery $(NAMES)

# What pages weigh, how many requests they make and how steadily they come up, against their limits.
budget: $(INSTALLED)
	@$(BIN)/python -m tests.gallery.budget

# Every bench into docs/performance/ (QUICK=1: smaller ones, in a few minutes; ONLY="relay pages": those alone anew).
bench: $(INSTALLED)
	@$(BIN)/python -m bench report $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

# New texts into locale/ (needs GNU gettext), and what is translated there into the form that Django reads.
messages: $(INSTALLED)
	@$(CHECK) $(BIN)/python manage.py makemessages -l de --no-wrap --add-location file \
		-i .venv -i staticfiles -i tests -i bench -i workers -i templates/admin
	$(BIN)/python -c "import polib; polib.pofile('locale/de/LC_MESSAGES/django.po').save_as_mofile('locale/de/LC_MESSAGES/django.mo')"

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The newest versions that our requirements allow, with the sums of their files.
COMPILE = $(BIN)/uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url
lock: $(INSTALLED)
	$(COMPILE) requirements/uv.in -o requirements/uv.lock
	$(COMPILE) requirements/app.in -o requirements/app.lock
	$(COMPILE) requirements/dev.in -o requirements/dev.lock
	$(BIN)/python -m stack.jars

clean:
	rm -rf .stack .venv staticfiles

$(INSTALLED): requirements/dev.lock requirements/uv.lock
	@test -n "$(PYTHON)" || { echo "waybill: Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python make" >&2; exit 1; }
	@$(PYTHON) stack/install.py
	@touch $@
