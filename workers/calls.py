"""The calls of effects to the outside: many at once, each tried again in place when that may help."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workers.failures import FailureKind, kind_of
from workers.health import Pulse
from workers.patience import Patience

Call = tuple[Callable[[Any], Any], Any]

_THREADS = 16


class Caller:
    """A bounded pool of threads that make calls; each answer is a sign of life."""

    def __init__(self, *, pulse: Pulse) -> None:
        self._pulse = pulse
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="effects")

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the calls under way and end the threads."""
        self._pool.shutdown()

    def perform_all(self, work: Sequence[Call]) -> list[Any]:
        """Return for each call its outcome, or the exception that its last try ended with.

        A call whose intent is None is not made; its outcome is None.
        """
        return list(self._pool.map(self._perform, work))

    def _perform(self, call: Call) -> Any:
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
            finally:
                self._pulse.beat()
