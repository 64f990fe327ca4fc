"""The ways in which handling an event can fail, and how an exception is told apart.

A business outcome (a declined card, a sold-out product) is none of them: it is an event.
"""

import hashlib
import traceback
from enum import StrEnum

from django.db import InterfaceError, OperationalError, connection

_TRANSIENT_STATES = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
    "57014",  # query_canceled (statement time-out)
    "53300",  # too_many_connections
}


class TransientError(Exception):
    """Trying again soon is likely to help: a time-out, a 5xx."""


class PermanentError(Exception):
    """Trying again will never help: the event goes to the dead letters at once."""


class DependencyDown(Exception):
    """Something every event needs is unreachable: the worker pauses and no event loses an attempt."""


class Poison(PermanentError):
    """A record of a handled type that cannot be read as that event."""


class FailureKind(StrEnum):
    TRANSIENT = "transient"
    UNEXPECTED = "unexpected"
    PERMANENT = "permanent"
    POISON = "poison"
    DEPENDENCY_DOWN = "dependency_down"


def kind_of(error: BaseException) -> FailureKind:
    """Say what an exception means for the event that was being handled."""
    match error:
        case DependencyDown():
            return FailureKind.DEPENDENCY_DOWN
        case Poison():
            return FailureKind.POISON
        case PermanentError():
            return FailureKind.PERMANENT
        case TransientError():
            return FailureKind.TRANSIENT
        case OperationalError() | InterfaceError():
            return _kind_of_database_error(error)
        case _:
            return FailureKind.UNEXPECTED


def _kind_of_database_error(error: Exception) -> FailureKind:
    if getattr(error.__cause__, "sqlstate", None) in _TRANSIENT_STATES:
        return FailureKind.TRANSIENT
    if connection.connection is None or not connection.is_usable():
        return FailureKind.DEPENDENCY_DOWN
    return FailureKind.TRANSIENT


def fingerprint(*, worker: str, event_type: str, error: BaseException) -> str:
    """Return 16 hex digits that failures of the same cause share: worker, event, exception, top frame."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].name}" if frames else ""
    text = "|".join([worker, event_type, type(error).__qualname__, where])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
