"""How often one client may call.

The counters must be one for all web processes, or every process adds to the limit. Django's caches do not give
that here: the local one is per process, the database's takes five statements a call, and one server more for
counting is one too many to run. So every process counts by itself and settles with one row in PostgreSQL
(unlogged: no disk waits for it) at a client's first call and then once a second at most. A busy client costs next
to nothing, an idle one a single statement, and the limit is overstepped by no more than what the processes take
within that second.

Windows begin with the clock, so that processes agree on them and `Retry-After` is known.
"""

import time
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by the settings

_SETTLE_SECONDS = 1.0
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SETTLE = """
    INSERT INTO shop_api_calls AS known (scope, client, began_at, calls)
    VALUES (%s, %s, to_timestamp(%s), %s)
    ON CONFLICT (scope, client) DO UPDATE SET
        began_at = EXCLUDED.began_at,
        calls = EXCLUDED.calls + CASE WHEN known.began_at = EXCLUDED.began_at THEN known.calls ELSE 0 END
    RETURNING calls
"""
_FORGET = "DELETE FROM shop_api_calls WHERE scope = %s AND began_at < to_timestamp(%s)"


class Window:
    """The calls of one scope from one moment to the next, by client, as this process knows them."""

    def __init__(self, *, scope: str, began_at: int) -> None:
        self.scope, self.began_at = scope, began_at
        self._settled: dict[str, tuple[int, float]] = {}
        self._unsettled: dict[str, int] = {}
        self._lock = Lock()

    def count(self, *, client: str) -> int:
        """Count a call, and return how many the client has made in this window, at all processes."""
        with self._lock:
            mine = self._unsettled.get(client, 0) + 1
            total, at = self._settled.get(client, (0, 0.0))
            if at and time.monotonic() - at < _SETTLE_SECONDS:
                self._unsettled[client] = mine
                return total + mine
            self._unsettled[client] = 0
        total = self._settle(client=client, calls=mine)
        with self._lock:
            self._settled[client] = (total, time.monotonic())
        return total

    def _settle(self, *, client: str, calls: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [self.scope, client, self.began_at, calls])
            [total] = cursor.fetchone()
        return int(total)


class SharedThrottle(BaseThrottle):
    """Refuses a client's call once its scope's rate is reached, until the next window begins."""

    scope: str
    _windows: dict[str, Window] = {}

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002  (REST framework's signature)
        """Count the call, and say whether it is within the rate."""
        return self.allow_call(request=request)

    def allow_call(self, *, request: Request | HttpRequest) -> bool:
        """Count the call of an API or a page, and say whether it is within the rate."""
        most, self._seconds = _parse(api_settings.DEFAULT_THROTTLE_RATES[self.scope])
        self._window = self._current_window()
        client = self.get_ident(request) or "unknown"  # type: ignore[arg-type]  # all it reads is META
        return self._window.count(client=client) <= most

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self._window.began_at + self._seconds - time.time()

    def _current_window(self) -> Window:
        began_at = int(time.time()) // self._seconds * self._seconds
        window = self._windows.get(self.scope)
        if window is None or window.began_at != began_at:
            window = self._windows[self.scope] = Window(scope=self.scope, began_at=began_at)
            _forget(scope=self.scope, before=began_at)
        return window


class ReadThrottle(SharedThrottle):
    """For everything that is cheap to answer."""

    scope = "anonymous"


class CheckoutThrottle(SharedThrottle):
    """For what makes orders and payment methods."""

    scope = "checkout"


class LookupThrottle(SharedThrottle):
    """For guessing at orders."""

    scope = "lookup"


class CouponThrottle(SharedThrottle):
    """For guessing at coupons."""

    scope = "coupon"


def _forget(*, scope: str, before: int) -> None:
    """Drop what is known of clients from earlier windows."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [scope, before])


@cache
def _parse(rate: str) -> tuple[int, int]:
    """Return calls and seconds of a rate such as `60/min`."""
    calls, _, period = rate.partition("/")
    return int(calls), _SECONDS[period[0]]
