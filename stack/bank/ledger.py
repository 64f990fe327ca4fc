"""The bank's ledger: SQLite, written by one thread, many requests to a commit.

One writer makes "the same key gives the same charge" true without a lock, and lets requests that arrive
together share the one disk flush that `synchronous=FULL` asks for. An answer goes out after that flush, so
neither `kill -9` nor a power cut loses a charge a merchant has been told of.
"""

import queue
import secrets
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from stack.bank.cards import CARDS_BY_NUMBER, CARDS_BY_TOKEN, Card, Outcome
from stack.bank.messages import (
    Authentication,
    CardDetails,
    Charge,
    ChargeRequest,
    ChargeStatus,
    PaymentMethod,
    Refund,
    RefundRequest,
    Refused,
)

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

LARGEST_BATCH = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS payment_methods (
    id TEXT PRIMARY KEY,
    card TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS charges (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('captured', 'declined', 'requires_action')),
    decline_code TEXT CHECK ((decline_code IS NOT NULL) = (status = 'declined')),
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    authentication TEXT CHECK (authentication IN ('approved', 'failed', 'cancelled')),
    return_url TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS charges_reference ON charges (reference);
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    charge TEXT NOT NULL REFERENCES charges (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS refunds_charge ON refunds (charge);
CREATE TABLE IF NOT EXISTS stumbles (
    idempotency_key TEXT PRIMARY KEY
) STRICT;
"""

CHARGE = """
SELECT
    charges.*,
    (SELECT coalesce(sum(refunds.amount), 0) FROM refunds WHERE refunds.charge = charges.id) AS refunded
FROM charges
"""


class LedgerInUse(RuntimeError):
    """Another bank holds this ledger; stop it, or give this one another file."""


class Ledger:
    """Everything the bank remembers. Safe to call from any thread."""

    def __init__(self, *, path: Path) -> None:
        """Open the ledger at `path`, made if missing. Raises `LedgerInUse`."""
        self._waiting: queue.SimpleQueue[tuple[Operation[Any], Future[Any]]] = queue.SimpleQueue()
        self._database = _open(path=path)
        threading.Thread(target=self._write_for_ever, name="ledger", daemon=True).start()

    def save_payment_method(self, *, details: CardDetails) -> PaymentMethod:
        """Return a new token for a demo card. Raises `Refused` for any other number."""
        return self._run(lambda database: _save_payment_method(database, details))

    def payment_method(self, *, token: str) -> PaymentMethod:
        """Return what `token` stands for. Raises `Refused` if it was never given out."""
        return self._run(lambda database: _describe(token, _card_of(database, token)))

    def charge(self, *, key: str, request: ChargeRequest) -> Charge:
        """Charge the card once for each `key`. Raises `Refused` for a key used for something else."""
        return self._run(lambda database: _charge(database, key, request))

    def authenticate(self, *, charge_id: str, result: Authentication) -> Charge:
        """Keep what the card holder answered on the 3-D Secure page; the first answer stands."""
        return self._run(lambda database: _authenticate(database, charge_id, result))

    def confirm(self, *, charge_id: str) -> Charge:
        """Settle a charge whose card holder has answered; otherwise return it as it is."""
        return self._run(lambda database: _confirm(database, charge_id))

    def refund(self, *, key: str, request: RefundRequest) -> Refund:
        """Give money back once for each `key`. Raises `Refused` if more than was captured."""
        return self._run(lambda database: _refund(database, key, request))

    def charge_of(self, *, charge_id: str) -> Charge:
        """Return one charge. Raises `Refused` if there is none."""
        return self._run(lambda database: _charge_of(database, charge_id))

    def charges(self, *, filters: dict[str, str]) -> list[Charge]:
        """Return the charges whose columns have the values of `filters`, oldest first."""
        return self._run(lambda database: _charges(database, filters))

    def refunds(self, *, filters: dict[str, str]) -> list[Refund]:
        """Return the refunds whose columns have the values of `filters`, oldest first."""
        return self._run(lambda database: _refunds(database, filters))

    def _run(self, operation: Operation[T]) -> T:
        answer: Future[T] = Future()
        self._waiting.put((operation, answer))
        return answer.result()

    def _write_for_ever(self) -> None:
        while True:
            self._write_together(self._next_batch())

    def _next_batch(self) -> list[tuple[Operation[Any], Future[Any]]]:
        batch = [self._waiting.get()]
        while len(batch) < LARGEST_BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        return batch

    def _write_together(self, batch: list[tuple[Operation[Any], Future[Any]]]) -> None:
        try:
            with self._database:
                self._database.execute("BEGIN")
                results = [_result_of(operation, self._database) for operation, _ in batch]
        except Exception as error:  # noqa: BLE001 (each of those who wait is told; the writer must go on)
            results = [error] * len(batch)
        for (_, answer), result in zip(batch, results, strict=True):
            _tell(answer, result)


def _open(*, path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    database.row_factory = sqlite3.Row
    try:
        # Exclusive: a second bank over the same file would break "one writer", so it must not start.
        database.executescript(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        )
        database.executescript("PRAGMA foreign_keys=ON; BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
    except sqlite3.OperationalError as error:
        raise LedgerInUse(f"{path}: {error}. Stop the other bank, or choose another --ledger.") from error
    return database


def _result_of(operation: Operation[T], database: sqlite3.Connection) -> T | Refused:
    try:
        return operation(database)
    except Refused as refusal:
        # An answer like any other: what the operation wrote before it stays, and so do its neighbours.
        return refusal


def _tell(answer: Future[Any], result: object) -> None:
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)


def _save_payment_method(database: sqlite3.Connection, details: CardDetails) -> PaymentMethod:
    card = _card_for(details)
    token = _new_id("pm")
    _insert(database, "payment_methods", id=token, card=card.token, created_at=_now())
    return _describe(token, card)


def _card_for(details: CardDetails) -> Card:
    number = details.number.replace(" ", "").replace("-", "")
    if number not in CARDS_BY_NUMBER:
        raise Refused(422, "unknown_card", "Use one of the demo cards. Never enter a real card number here.")
    if not 1 <= details.expiry_month <= 12 or not _still_valid(details):
        raise Refused(422, "invalid_expiry", "The expiry date must be a month that has not passed yet.")
    if not (details.cvc.isascii() and details.cvc.isdigit() and len(details.cvc) == 3):
        raise Refused(422, "invalid_cvc", "The security code is the three digits on the back of the card.")
    return CARDS_BY_NUMBER[number]


def _still_valid(details: CardDetails) -> bool:
    today = datetime.now(UTC)
    return (today.year, today.month) <= (details.expiry_year, details.expiry_month) < (today.year + 100, 1)


def _describe(token: str, card: Card) -> PaymentMethod:
    return PaymentMethod(id=token, brand=card.brand, last4=card.last4)


def _card_of(database: sqlite3.Connection, token: str) -> Card:
    if token in CARDS_BY_TOKEN:
        return CARDS_BY_TOKEN[token]
    row = database.execute("SELECT card FROM payment_methods WHERE id = ?", [token]).fetchone()
    if row is None:
        raise Refused(422, "unknown_payment_method", f"There is no payment method {token!r}.")
    return CARDS_BY_TOKEN[row["card"]]


def _charge(database: sqlite3.Connection, key: str, request: ChargeRequest) -> Charge:
    for charge in _charges(database, {"idempotency_key": key}):
        return _same_request(charge, request)
    card = _card_of(database, request.payment_method)
    _refuse_if_out_of_order(database, key, card)
    return _enter(database, key, request, card)


def _refuse_if_out_of_order(database: sqlite3.Connection, key: str, card: Card) -> None:
    if card.outcome is Outcome.DOWN:
        raise Refused(503, "gateway_down", "The acquirer of this card cannot be reached. Try again later.")
    if card.outcome is Outcome.STUMBLES and _stumbles_now(database, key):
        raise Refused(
            500, "processing_error", "The charge could not be processed. Try again with the same key."
        )


def _stumbles_now(database: sqlite3.Connection, key: str) -> bool:
    first = database.execute("INSERT INTO stumbles VALUES (?) ON CONFLICT DO NOTHING", [key])
    return first.rowcount == 1


def _enter(database: sqlite3.Connection, key: str, request: ChargeRequest, card: Card) -> Charge:
    charge = Charge(
        id=_new_id("ch"),
        idempotency_key=key,
        reference=request.reference,
        amount=request.amount,
        currency=request.currency,
        status=_first_status(card),
        decline_code=card.decline_code if card.outcome is Outcome.DECLINED else None,
        brand=card.brand,
        last4=card.last4,
        payment_method=request.payment_method,
        authentication=None,
        return_url=request.return_url,
        created_at=_now(),
        refunded=0,
    )
    columns = {name: getattr(charge, name) for name in Charge.__struct_fields__ if name != "refunded"}
    _insert(database, "charges", **columns)
    return charge


def _first_status(card: Card) -> ChargeStatus:
    if card.outcome is Outcome.DECLINED:
        return "declined"
    return "requires_action" if card.outcome is Outcome.AUTHENTICATES else "captured"


def _authenticate(database: sqlite3.Connection, charge_id: str, result: Authentication) -> Charge:
    database.execute(
        "UPDATE charges SET authentication = ? "
        "WHERE id = ? AND status = 'requires_action' AND authentication IS NULL",
        [result, charge_id],
    )
    return _charge_of(database, charge_id)


def _confirm(database: sqlite3.Connection, charge_id: str) -> Charge:
    charge = _charge_of(database, charge_id)
    if charge.status != "requires_action" or charge.authentication is None:
        return charge
    code = _decline_code_after(charge.authentication, _card_of(database, charge.payment_method))
    status = "declined" if code else "captured"
    database.execute(
        "UPDATE charges SET status = ?, decline_code = ? WHERE id = ?", [status, code, charge_id]
    )
    return _charge_of(database, charge_id)


def _decline_code_after(authentication: Authentication, card: Card) -> str | None:
    return (card.decline_code or None) if authentication == "approved" else f"authentication_{authentication}"


def _refund(database: sqlite3.Connection, key: str, request: RefundRequest) -> Refund:
    for refund in _refunds(database, {"idempotency_key": key}):
        return _same_request(refund, request)
    charge = _charge_of(database, request.charge)
    if charge.status != "captured":
        raise Refused(422, "charge_not_captured", "Only a captured charge can be refunded.")
    if request.amount > charge.amount - charge.refunded:
        raise Refused(422, "amount_too_large", "That is more than is left of the charge.")
    refund = Refund(_new_id("re"), key, charge.id, request.amount, charge.currency, _now())
    _insert(database, "refunds", **{name: getattr(refund, name) for name in Refund.__struct_fields__})
    return refund


Keyed = TypeVar("Keyed", Charge, Refund)


def _same_request(made: Keyed, request: ChargeRequest | RefundRequest) -> Keyed:
    if made.request != request:
        raise Refused(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
    return made


def _charge_of(database: sqlite3.Connection, charge_id: str) -> Charge:
    for charge in _charges(database, {"id": charge_id}):
        return charge
    raise Refused(404, "unknown_charge", f"There is no charge {charge_id!r}.")


def _charges(database: sqlite3.Connection, filters: dict[str, str]) -> list[Charge]:
    return [Charge(**row) for row in _select(database, CHARGE, filters)]


def _refunds(database: sqlite3.Connection, filters: dict[str, str]) -> list[Refund]:
    return [Refund(**row) for row in _select(database, "SELECT * FROM refunds", filters)]


def _select(database: sqlite3.Connection, query: str, filters: dict[str, str]) -> list[sqlite3.Row]:
    where = " AND ".join(f"{column} = ?" for column in filters) or "TRUE"
    return database.execute(f"{query} WHERE {where} ORDER BY created_at, id", [*filters.values()]).fetchall()


def _insert(database: sqlite3.Connection, table: str, **columns: object) -> None:
    marks = ", ".join("?" for _ in columns)
    database.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", [*columns.values()])  # noqa: S608


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
