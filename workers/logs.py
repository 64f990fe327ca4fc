"""Log lines: one JSON object each for machines, text for people at a terminal.

What a line is about (order, event, trace) is read from the context when it is written, so that code which logs
nothing pays nothing.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from events.context import current_context

LogFormat = Literal["auto", "json", "text"]

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ABOUT = ("order_id", "event_id")


class _Process:
    worker = ""


def name_process(name: str) -> None:
    """Name this process in every line it logs: the worker it runs, or the relay."""
    _Process.worker = name


def make_formatter(*, form: LogFormat, masks: Mapping[str, str]) -> logging.Formatter:
    """Return the formatter of that form, for `"()"` in Django's LOGGING; `auto` is text on a terminal, else JSON.

    `masks` are regular expressions of what must not be logged, with what stands there instead.
    """
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    return TextLines(masks=masks) if as_text else JsonLines(masks=masks)


class _Masking(logging.Formatter):
    """Leaves out of messages and stack traces what must not be logged."""

    def __init__(self, *, masks: Mapping[str, str], fmt: str | None = None) -> None:
        super().__init__(fmt)
        self._masks = [(re.compile(pattern), shown) for pattern, shown in masks.items()]

    def masked(self, text: str) -> str:
        for pattern, shown in self._masks:
            text = pattern.sub(shown, text)
        return text


class JsonLines(_Masking):
    """One JSON object a line: time, level, logger and message; worker, order_id, event_id, trace_id, exception
    where there are any.
    """

    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(dict(self._fields(record))).decode()

    def _fields(self, record: logging.LogRecord) -> Iterator[tuple[str, str]]:
        yield "time", datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        yield "level", record.levelname
        yield "logger", record.name
        yield "message", self.masked(record.getMessage())
        yield from _about(record).items()
        if record.exc_info:
            yield "exception", self.masked(self.formatException(record.exc_info))


class TextLines(_Masking):
    """The message, and behind it what it is about."""

    def __init__(self, *, masks: Mapping[str, str]) -> None:
        super().__init__(masks=masks, fmt=_TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        about = " ".join(f"{name}={value}" for name, value in _about(record).items())
        return super().formatMessage(record) + (f"  [{about}]" if about else "")

    def format(self, record: logging.LogRecord) -> str:
        return self.masked(super().format(record))


def _about(record: logging.LogRecord) -> dict[str, str]:
    """Return what a line is about: as its `extra` says, or else the context it is written in."""
    context = current_context()
    found: dict[str, object] = {"worker": _Process.worker}
    if context:
        found |= {"order_id": context.order_id, "event_id": context.event_id, "trace_id": context.trace_id}
    found |= {name: getattr(record, name) for name in _ABOUT if hasattr(record, name)}
    return {name: str(value) for name, value in found.items() if value}
