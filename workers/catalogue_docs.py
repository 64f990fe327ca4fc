"""The event catalogue for readers, made from the declarations: an AsyncAPI document and a table."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.declaration import Declaration, declarations, topics
from events.schemas import with_sorted_choices
from workers.record import dead_letter_topic
from workers.worker import all_workers

_REF = "#/components/schemas/{name}"
_HEADERS = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "The event's id, a UUIDv7; the same in every delivery.",
    "ce_source": "The topic's owner, `/waybill/<topic>`.",
    "ce_type": "The event's name with its version.",
    "ce_time": "When it was published, RFC 3339 in UTC.",
    "ce_subject": "What the event is about: the record's key.",
    "ce_dataschema": "Where its JSON Schema is.",
    "content-type": "Always application/json.",
    "traceparent": "W3C Trace Context: the trace of the request, or of the event, that began the chain.",
    "tracestate": "W3C Trace Context: what that request's sender had to add; absent where it added nothing.",
    "correlationid": "The id of the first event of this chain.",
    "causationid": "The id of the event that led to this one; absent on a first event.",
    "sequence": "The version of the aggregate after the change the event tells of.",
}


def asyncapi_document() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of all topics, messages and who sends and receives them."""
    _schemas, components = msgspec.json.schema_components(
        [one.struct for one in declarations()], ref_template=_REF
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Waybill events",
            "version": "1",
            "description": "What happens to an order, as CloudEvents 1.0 in Kafka's binary binding.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic=topic) for topic in topics()},
        "operations": dict(_operations()),
        "components": {
            "schemas": with_sorted_choices(components),
            "messages": {one.name: _message(declaration=one) for one in declarations()},
            "messageTraits": {"cloudEvent": {"headers": _header_schema()}},
        },
    }


def events_table() -> str:
    """Return the Markdown page that lists every event with its fields and its hearers."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "Made by `manage.py export_events` from the declarations in `events/`; edit those, not this page."
    yield ""
    yield "Every record's key is the id of the order it is about; where there is no order, the key is the SKU of the"
    yield "product. The topic `orders` is the timeline of each order: its `sequence` header has no gaps, and the live"
    yield "pages of orders read this topic alone. `notifications.buyer_notified.v1`, whose key is `account-<id>`, is"
    yield "for the bell of the buyer who is signed in. Each topic has a dead letter topic, `<topic>.DLT`."
    for topic in topics():
        yield from _topic_section(topic=topic)
    yield from _headers_section()


def _topic_section(*, topic: str) -> Iterator[str]:
    yield ""
    yield f"## {topic}"
    yield ""
    yield "| event | says | fields | handled by |"
    yield "|---|---|---|---|"
    for one in _of_topic(topic=topic):
        fields = ", ".join(f"`{name}`" for name in one.struct.__struct_fields__)
        heard = ", ".join(_hearers(declaration=one)) or "nobody"
        yield f"| `{one.name}` | {one.summary} | {fields} | {heard} |"


def _headers_section() -> Iterator[str]:
    yield ""
    yield "## Headers"
    yield ""
    yield "| header | says |"
    yield "|---|---|"
    for name, meaning in _HEADERS.items():
        yield f"| `{name}` | {meaning} |"


def _of_topic(*, topic: str) -> list[Declaration]:
    return [one for one in declarations() if one.topic == topic]


def _hearers(*, declaration: Declaration) -> list[str]:
    return [worker.name for worker in all_workers() if declaration.name in worker.handlers]


def _channel(*, topic: str) -> dict[str, Any]:
    messages = {one.name: {"$ref": f"#/components/messages/{one.name}"} for one in _of_topic(topic=topic)}
    return {
        "address": topic,
        "description": f"Keyed by order id. Dead letters go to {dead_letter_topic(topic=topic)}.",
        "messages": messages,
    }


def _message(*, declaration: Declaration) -> dict[str, Any]:
    return {
        "name": declaration.name,
        "summary": declaration.summary,
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {"$ref": _REF.format(name=declaration.struct.__name__)},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in topics():
        yield f"send.{topic}", _operation(action="send", topic=topic, declared=_of_topic(topic=topic))
    for worker in all_workers():
        for topic in worker.topics:
            heard = [one for one in _of_topic(topic=topic) if one.name in worker.handlers]
            yield f"{worker.name}.{topic}", _operation(action="receive", topic=topic, declared=heard)


def _operation(*, action: str, topic: str, declared: list[Declaration]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{one.name}"} for one in declared],
    }


def _header_schema() -> dict[str, Any]:
    optional = {"causationid", "tracestate"}
    return {
        "type": "object",
        "required": [name for name in _HEADERS if name not in optional],
        "properties": {name: {"type": "string", "description": text} for name, text in _HEADERS.items()},
    }
