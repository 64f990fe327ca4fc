"""The calls of effects to the outside: many at once, each tried again in place when that may help."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workers.failures import FailureKind, kind_of
from workers.patience import Patience

Call = tuple[Callable[[Any], Any], Any]


def perform_all(*, pool: ThreadPoolExecutor, work: Sequence[Call]) -> list[Any]:
    """Return for each call its outcome, or the exception that its last try ended with.

    A call whose intent is None is not made; its outcome is None.
    """
    return list(pool.map(_perform, work))


def _perform(call: Call) -> Any:
    perform, intent = call
    if intent is None:
        return None
    patience = Patience()
    while True:
        try:
            return perform(intent)
        except Exception as error:  # noqa: BLE001  (every failure is an outcome here; the caller tells them apart)
            if kind_of(error) is not FailureKind.TRANSIENT or not patience.wait():
                return error
