"""How an order travelled: the events that it told and heard, in order, each with the time to the next."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from orders.models import TimelineEntry
from orders.words import event_words

PAID = "orders.order_confirmed.v1"


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """An event of an order; `took` is the time to the next one, None for the last.

    `share` is the length of its bar from 0 to 100, on a logarithmic scale: hops take milliseconds, parcels take days.
    """

    event_type: str
    at: datetime
    took: timedelta | None
    share: int

    @property
    def topic(self) -> str:
        """The topic it went through, which is called as the service that told it."""
        return self.event_type.partition(".")[0]

    @property
    def words(self) -> str:
        """What it says, in the language of the page."""
        return event_words(event_type=self.event_type)

    @property
    def wait(self) -> str:
        """The time to the next one in the language of the page, empty for the last."""
        return "" if self.took is None else span_words(span=self.took)


class Travel(msgspec.Struct, frozen=True, kw_only=True):
    """The way of an order so far; `paid_after` is the time from the first event to the one that says it is paid."""

    hops: tuple[Hop, ...]
    paid_after: timedelta | None

    @property
    def paid_words(self) -> str:
        """How long it took to be paid, in the language of the page; empty before."""
        return "" if self.paid_after is None else span_words(span=self.paid_after)


def travel(*, entries: Iterable[TimelineEntry]) -> Travel:
    """Return the way that the entries of one order tell. Entries of before it was kept tell nothing."""
    stops = sorted((stop for entry in entries for stop in _stops(entry=entry)), key=lambda stop: stop[1])
    spans = [later - earlier for (_, earlier), (_, later) in pairwise(stops)]
    longest = max(spans, default=timedelta())
    hops = tuple(
        Hop(event_type=event_type, at=at, took=took, share=_share(took=took, longest=longest))
        for (event_type, at), took in zip(stops, [*spans, None], strict=False)
    )
    return Travel(hops=hops, paid_after=_paid_after(stops=stops))


def span_words(*, span: timedelta) -> str:
    """Return a span of time as people say it, in the active language: 27 ms, 1.4 s, 3 min, 2 h, 5 days."""
    seconds = span.total_seconds()
    if seconds < 1:
        return gettext("%(number)s ms") % {"number": round(seconds * 1000)}
    if seconds < 60:
        return gettext("%(number)s s") % {"number": number_format(seconds, decimal_pos=1)}
    if seconds < 3600:
        return gettext("%(number)s min") % {"number": int(seconds // 60)}
    if span.days == 0:
        return gettext("%(number)s h") % {"number": int(seconds // 3600)}
    return ngettext("%(number)s day", "%(number)s days", span.days) % {"number": span.days}


def _stops(*, entry: TimelineEntry) -> Iterator[tuple[str, datetime]]:
    if entry.cause_at is not None:
        yield entry.cause_type, entry.cause_at
    if entry.event_type:
        yield entry.event_type, entry.at


def _paid_after(*, stops: Sequence[tuple[str, datetime]]) -> timedelta | None:
    return next((at - stops[0][1] for event_type, at in stops if event_type == PAID), None)


def _share(*, took: timedelta | None, longest: timedelta) -> int:
    if not took:
        return 0
    return round(100 * math.log1p(_milliseconds(span=took)) / math.log1p(_milliseconds(span=longest)))


def _milliseconds(*, span: timedelta) -> float:
    return span.total_seconds() * 1000
