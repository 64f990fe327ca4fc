"""What the code that runs now belongs to: a trace, and perhaps one event.

A trace begins at a request, or with an event that nothing caused. It travels in the headers of W3C Trace Context
(https://www.w3.org/TR/trace-context/): from a request into its events, from an event into those it causes, and on
into calls to others.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

import msgspec

# Section 3.2.2: lower-case hexadecimal; version ff and ids of zeros alone are invalid.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_SAMPLED = 0x01
# Section 3.3.1.5: as much as everybody should pass on. What is longer is dropped whole.
_LONGEST_TRACESTATE = 512


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One trace, and the event that is being handled, where there is one; `order_id` is the order it is about."""

    traceparent: str
    tracestate: str = ""
    event_id: UUID | None = None
    order_id: str = ""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, the same in all that one request or event has led to; empty if there are none."""
        found = _TRACEPARENT.fullmatch(self.traceparent)
        return found["trace"] if found else ""


_current: ContextVar[Context | None] = ContextVar("context", default=None)


def current_context() -> Context | None:
    """Return what the code that runs now belongs to, or None."""
    return _current.get()


@contextmanager
def within(context: Context) -> Iterator[None]:
    """Let what runs inside belong to `context`: its log lines, its calls, and its events without another cause."""
    before = _current.set(context)
    try:
        yield
    finally:
        _current.reset(before)


def receive_context(*, traceparent: str, tracestate: str) -> Context:
    """Return the context of a request with these headers: in the caller's trace, or in a new one.

    What is not valid is ignored, as the specification asks; without a valid traceparent, tracestate is too.
    """
    if not _is_valid(traceparent):
        return Context(traceparent=new_trace())
    return Context(traceparent=child_of(traceparent), tracestate=_usable(tracestate))


def trace_headers() -> Mapping[str, str]:
    """Return the headers for a call to somebody else: a new span of the current trace; none outside a trace."""
    context = _current.get()
    if context is None:
        return {}
    headers = {"traceparent": child_of(context.traceparent)}
    return {**headers, "tracestate": context.tracestate} if context.tracestate else headers


def new_trace() -> str:
    """Return the traceparent of a trace that begins here."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(traceparent: str) -> str:
    """Return the traceparent of a new span in the same trace; of a new trace, where `traceparent` is not valid."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if not found:
        return new_trace()
    flags = int(found["flags"], 16) & _SAMPLED
    return f"00-{found['trace']}-{secrets.token_hex(8)}-{flags:02x}"


def _is_valid(traceparent: str) -> bool:
    found = _TRACEPARENT.fullmatch(traceparent)
    # Only a version after ours may carry more than we know.
    return found is not None and (found["version"] != "00" or found["rest"] is None)


def _usable(tracestate: str) -> str:
    fits = len(tracestate) <= _LONGEST_TRACESTATE and tracestate.isascii() and tracestate.isprintable()
    return tracestate if fits else ""
