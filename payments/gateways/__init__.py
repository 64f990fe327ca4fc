"""Payment providers, each behind the same few calls."""

from functools import cache
from threading import Lock
from typing import Protocol
from uuid import UUID

import msgspec
from django.conf import settings

from events.values import Card


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's token that stands for a card."""

    id: str
    card: Card


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What to charge. `attempt_id` is the key by which the provider recognises a second call."""

    attempt_id: UUID
    order_id: UUID
    order_number: str
    amount: int
    currency: str
    payment_method: str
    return_url: str


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took the money."""

    charge_id: str
    card: Card


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """The provider refused, for good; `charge_id` is empty when it did not even make a charge of it."""

    charge_id: str
    card: Card
    code: str


class ActionRequired(msgspec.Struct, frozen=True, kw_only=True):
    """The buyer has to answer the provider at `url` first."""

    charge_id: str
    card: Card
    url: str


class Unknown(msgspec.Struct, frozen=True):
    """The provider did not answer in time: the money may have been taken or not."""


Outcome = Captured | Declined | ActionRequired | Unknown


class CardRefused(ValueError):
    """The provider takes no such card; `code` is for programs, the message is for the buyer."""

    def __init__(self, *, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Gateway(Protocol):
    """A payment provider.

    Every call may raise `workers.DependencyDown` when the provider cannot be reached at all,
    `workers.TransientError` when the same call is likely to succeed later, and `workers.PermanentError` when
    the provider does not understand it. All calls can be repeated without a second effect.
    """

    @property
    def ready_made(self) -> frozenset[str]:
        """The payment methods that exist without being made first."""

    def tokenize(self, *, number: str, expiry_month: int, expiry_year: int, cvc: str) -> PaymentMethod:
        """Turn a card into a token. Raises `CardRefused`."""

    def charge(self, charge: Charge) -> Outcome:
        """Charge a card; the same attempt is charged once."""

    def confirm(self, *, charge_id: str) -> Outcome:
        """Settle a charge after the buyer has answered the provider."""

    def find_charge(self, *, attempt_id: UUID) -> Outcome | None:
        """Return what became of an attempt, or None if the provider has never heard of it."""

    def refund(self, *, refund_id: UUID, charge_id: str, amount: int) -> str:
        """Give money back and return the provider's id for it; the same refund is made once."""

    def close(self) -> None:
        """Let go of the connections."""


_making = Lock()


def gateway() -> Gateway:
    """Return this process's gateway; made on first use, so that no connection crosses a fork."""
    with _making:
        return _the_gateway()


def close_gateway() -> None:
    """Let go of this process's connections; the next use makes a new gateway, with the settings of then."""
    with _making:
        _the_gateway().close()
        _the_gateway.cache_clear()


@cache
def _the_gateway() -> Gateway:
    from payments.gateways.demo_bank import DemoBank

    return DemoBank(url=settings.BANK_URL, timeout_seconds=settings.BANK_TIMEOUT_SECONDS)
