"""A log line says what it is about, and nothing that must not be logged."""

import json
import logging
import sys
from typing import Any
from uuid import UUID

import pytest

from config.privacy import MASKS
from events.context import Context, within
from workers.logs import make_formatter

TRACE = "0af7651916cd43dd8448eb211c80319c"
EVENT_ID = UUID("01936f2e-0000-7000-8000-000000000001")
ABOUT_AN_ORDER = Context(
    traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
    event_id=EVENT_ID,
    order_id="01936f2e-0000-7000-8000-00000000000a",
)
CARD = "4242 4242 4242 4242"


def _record(message: str, *arguments: object, **about: object) -> logging.LogRecord:
    logger = logging.getLogger("workers.tests")
    return logger.makeRecord(
        "workers.tests", logging.WARNING, "", 0, message, arguments, None, extra=about or None
    )


def _line(record: logging.LogRecord) -> dict[str, Any]:
    text = make_formatter(form="json", masks=MASKS).format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_is_one_object_with_its_time_level_logger_and_message() -> None:
    line = _line(_record("first\nsecond %s", "third"))

    assert (line["level"], line["logger"], line["message"]) == (
        "WARNING",
        "workers.tests",
        "first\nsecond third",
    )
    assert line["time"].endswith("+00:00")
    assert not line.keys() & {"order_id", "event_id", "trace_id", "exception"}


def test_a_line_written_while_an_event_is_handled_names_its_order_its_id_and_its_trace() -> None:
    with within(ABOUT_AN_ORDER):
        line = _line(_record("something"))

    assert line["order_id"] == ABOUT_AN_ORDER.order_id
    assert line["event_id"] == str(EVENT_ID)
    assert line["trace_id"] == TRACE


def test_where_many_events_are_handled_at_once_the_code_says_which_one_it_means() -> None:
    line = _line(_record("something", order_id=EVENT_ID))

    assert line["order_id"] == str(EVENT_ID)


def test_an_exception_stands_in_the_line_of_its_message() -> None:
    try:
        raise ValueError(f"not {CARD}")
    except ValueError:
        record = logging.LogRecord("workers", logging.ERROR, "", 0, "failed", (), sys.exc_info())

    line = _line(record)

    assert "ValueError: not [number]" in line["exception"]


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        (
            "Key (email)=(ada.lovelace+books@example.org) already exists",
            "Key (email)=([address]) already exists",
        ),
        (CARD, "[number]"),
        ("card=4242424242424242.", "card=[number]."),
        ("Not Found: /orders/Xk3-_9aVbQ2mPz8LwT4r/pay/", "Not Found: /orders/[token]/pay/"),
        ("no pm_1Nc0ffee", "no [payment method]"),
    ],
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_addresses_cards_and_tokens_are_left_out(form: Any, secret: str, shown: str) -> None:
    text = make_formatter(form=form, masks=MASKS).format(_record("%s", secret))

    assert shown in text
    assert secret not in text


@pytest.mark.parametrize("harmless", [str(EVENT_ID), "outbox row 123456", "orders/0@4711", "waited 12.50 s"])
def test_ids_and_numbers_of_ours_stay(harmless: str) -> None:
    assert _line(_record(harmless))["message"] == harmless


def test_text_for_people_says_what_it_is_about_behind_the_message() -> None:
    with within(ABOUT_AN_ORDER):
        text = make_formatter(form="text", masks=MASKS).format(_record("something"))

    assert "WARNING workers.tests: something  [order_id=" in text
    assert text.endswith(f"trace_id={TRACE}]")
