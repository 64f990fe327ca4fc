"""One trace from the click to the last worker."""

from typing import Any
from uuid import uuid4

from tests.running_shop import RunningShop
from tests.waiting import eventually

TOPICS = ["orders", "inventory", "payments", "shipments", "notifications"]


def test_all_events_of_an_order_carry_the_trace_of_the_request_that_placed_it(shop: RunningShop) -> None:
    trace = uuid4().hex
    context = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "tracestate": "vendor=something"}
    token = shop.placed(trace=context)
    shop.wait_for(token, "completed")
    [[order_id]] = shop.query("SELECT id FROM orders_order WHERE token = %s", [token])

    def journey() -> list[dict[str, str]]:
        found = [headers for topic in TOPICS for headers in _events(shop, topic, key=str(order_id))]
        mails = [one for one in found if one["ce_type"] == "notifications.email_sent.v1"]
        return found if len(mails) == 4 else []

    events = eventually(journey, what="four mails tell of the order")

    assert {headers["ce_type"].split(".")[0] for headers in events} == set(TOPICS)
    assert {headers["traceparent"].split("-")[1] for headers in events} == {trace}
    assert {headers["tracestate"] for headers in events} == {"vendor=something"}
    spans = [headers["traceparent"].split("-")[2] for headers in events]
    assert len(set(spans)) == len(spans)


def _events(shop: RunningShop, topic: str, *, key: str) -> list[dict[str, str]]:
    records: list[Any] = shop.records(topic=topic)
    return [
        {name: value.decode() for name, value in record.headers}
        for record in records
        if record.key == key.encode()
    ]
