"""The documents say what the declarations say."""

import json
from pathlib import Path

from django.conf import settings

from workers.catalogue_docs import asyncapi_document, events_table

DOCS = Path(settings.BASE_DIR) / "docs"
STALE = "run manage.py export_events and commit what it writes"


def test_the_table_of_events_is_fresh() -> None:
    assert (DOCS / "events.md").read_text() == events_table(), STALE


def test_the_asyncapi_document_is_fresh() -> None:
    assert (DOCS / "asyncapi.json").read_text() == json.dumps(asyncapi_document(), indent=2) + "\n", STALE


def test_every_event_is_heard_or_told_for_the_live_page() -> None:
    unheard = [line for line in events_table().splitlines() if line.endswith("| nobody |")]
    assert [line.split("`")[1] for line in unheard] == [
        "inventory.stock_released.v1",
        "notifications.buyer_notified.v1",
        "orders.order_advanced.v1",
    ]
