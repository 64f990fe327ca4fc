"""The README's example service runs as it stands there."""

import os
import re
from pathlib import Path

from tests.running_shop import RunningShop
from tests.waiting import eventually

README = Path(__file__).resolve().parent.parent / "README.md"
MARK = "the test tests/test_readme.py runs this service"


def example() -> str:
    """Return the code of the example."""
    after = README.read_text().split(MARK, 1)[1]
    found = re.search(r"```python\n(.*?)```", after, re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_about_thirty_lines() -> None:
    assert len(example().splitlines()) <= 40


def test_the_service_of_the_readme_hears_orders_and_publishes(shop: RunningShop, tmp_path: Path) -> None:
    app = tmp_path / "loyalty"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "handlers.py").write_text(example())
    (tmp_path / "with_loyalty.py").write_text(
        'from config.settings import *  # noqa: F403\n\nINSTALLED_APPS = [*INSTALLED_APPS, "loyalty"]  # noqa: F405\n'
    )
    variables = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(README.parent)]),
        "DJANGO_SETTINGS_MODULE": "with_loyalty",
    }
    token = shop.placed()
    shop.wait_for(token, "completed")
    shop.manage("create_topics", **variables)

    with shop.running("run_worker", "loyalty", **variables):
        taken = "SELECT 1 FROM workers_inboxentry WHERE consumer = 'loyalty'"
        eventually(lambda: shop.query(taken), what="the service has heard of an order")
        eventually(
            lambda: not shop.query("SELECT 1 FROM events_outboxevent WHERE topic = 'loyalty'"),
            what="the relay has carried its event",
        )
    assert shop.records(topic="loyalty")
