"""What goes over the wire: the requests the bank accepts and the things it describes in its answers."""

from typing import Annotated, Literal

import msgspec

Amount = Annotated[int, msgspec.Meta(gt=0, le=10**12)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
WebAddress = Annotated[
    str, msgspec.Meta(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?$", max_length=500)
]

ChargeStatus = Literal["captured", "declined", "requires_action"]
Authentication = Literal["approved", "failed", "cancelled"]


class Refused(Exception):
    """The bank says no; `status` is HTTP's, `code` is for programs and the message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class CardDetails(msgspec.Struct, frozen=True):
    """A card as its holder types it."""

    number: Text
    expiry_month: int
    expiry_year: int
    cvc: str


class ChargeRequest(msgspec.Struct, frozen=True):
    """Take `amount` minor units of `currency` for the merchant's `reference`."""

    amount: Amount
    currency: Currency
    payment_method: Text
    reference: Text
    return_url: WebAddress


class RefundRequest(msgspec.Struct, frozen=True):
    """Give `amount` minor units of a captured charge back."""

    charge: Text
    amount: Amount


class Control(msgspec.Struct, frozen=True):
    """How the bank misbehaves on request, for tests and demonstrations."""

    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    outage: bool = False  # every request is answered 503
    silent: bool = False  # every request is done and none is answered


class PaymentMethod(msgspec.Struct, frozen=True):
    """A token that stands for a card."""

    id: str
    brand: str
    last4: str


class Charge(msgspec.Struct, frozen=True):
    """An entry of the ledger; `refunded` is the sum of its refunds."""

    id: str
    idempotency_key: str
    reference: str
    amount: int
    currency: str
    status: ChargeStatus
    decline_code: str | None
    brand: str
    last4: str
    payment_method: str
    authentication: Authentication | None
    return_url: str
    created_at: str
    refunded: int

    @property
    def request(self) -> ChargeRequest:
        """The request that made this charge."""
        return ChargeRequest(self.amount, self.currency, self.payment_method, self.reference, self.return_url)


class Refund(msgspec.Struct, frozen=True):
    """Money given back."""

    id: str
    idempotency_key: str
    charge: str
    amount: int
    currency: str
    created_at: str

    @property
    def request(self) -> RefundRequest:
        """The request that made this refund."""
        return RefundRequest(self.charge, self.amount)
