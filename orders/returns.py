"""Sending books back: the buyer asks, staff decide, and what has come back is sold again.

    requested ─ approved ─▶ the money goes back (payments) ─ received ─▶ the books are for sale again (inventory)
        └ refused

The order stays what it is: completed. Each step is an entry on its timeline.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from events.money import format_money
from events.orders import RefundRequested, ReturnReceived
from orders import words
from orders.journal import Change, Step, locked_order, write_down
from orders.models import Order, OrderLine, Return, ReturnLine
from orders.rules import pieces_to_return

Status = Return.Status
_TEXT_LENGTH = 300


class CannotReturn(ValueError):
    """These pieces cannot be sent back; the message says why."""


class CannotDecide(ValueError):
    """The return has come further already; the message says how far."""


def request_return(*, token: str, pieces: Mapping[int, int], reason: str) -> UUID:
    """Ask to send back so many pieces of each line, by its position, and return the return's id.

    Raises `OrderNotFound`, or `CannotReturn` for no pieces, for too many, or too late.
    """
    with locked_order(token=token) as order:
        wanted = {position: quantity for position, quantity in pieces.items() if quantity}
        _check(wanted=wanted, left=pieces_to_return(order=order))
        lines = {line.position: line for line in order.lines.filter(position__in=wanted)}
        asked = Return.objects.create(
            order=order,
            reason=reason,
            amount=_worth(order=order, price=_price(lines=lines, wanted=wanted)),
            requested_at=timezone.now(),
        )
        ReturnLine.objects.bulk_create(
            ReturnLine(of=asked, order_line=lines[position], quantity=quantity)
            for position, quantity in wanted.items()
        )
        _move_pieces(asked=asked, sign=1)
        text = words.RETURN_REQUESTED % {"books": _books(asked=asked)}
        _write_down(order=order, step=Step(type="return_requested", text=_cut(text)))
    return asked.id


def approve_return(*, return_id: UUID, reason: str) -> None:
    """Take the books back: their money goes back to the card. Raises `CannotDecide`."""
    with _decided(return_id=return_id, expected=Status.REQUESTED, becomes=Status.APPROVED) as (order, asked):
        amount = format_money(amount=asked.amount, currency=order.currency)
        told = RefundRequested(
            order_id=order.id,
            number=order.number,
            requested_by="staff",
            reason=reason,
            amount=asked.amount,
            return_id=asked.id,
        )
        text = words.RETURN_APPROVED % {"books": _books(asked=asked), "amount": amount}
        _write_down(order=order, step=Step(type="return_approved", text=_cut(text), event=told))


def refuse_return(*, return_id: UUID, reason: str) -> None:
    """Leave the books with the buyer, who reads the reason. Raises `CannotDecide`."""
    with _decided(return_id=return_id, expected=Status.REQUESTED, becomes=Status.REFUSED) as (order, asked):
        _move_pieces(asked=asked, sign=-1)
        text = words.RETURN_REFUSED % {"books": _books(asked=asked), "reason": reason}
        _write_down(order=order, step=Step(type="return_refused", text=_cut(text)))


def receive_return(*, return_id: UUID) -> None:
    """Take in the books that have come back; inventory hears of it and sells them again. Raises `CannotDecide`."""
    with _decided(return_id=return_id, expected=Status.APPROVED, becomes=Status.RECEIVED) as (order, asked):
        told = ReturnReceived(
            order_id=order.id,
            number=order.number,
            return_id=asked.id,
            lines=tuple(line.told for line in _lines(asked=asked)),
        )
        _write_down(order=order, step=Step(type="return_received", text=words.RETURN_RECEIVED, event=told))


@contextmanager
def _decided(*, return_id: UUID, expected: str, becomes: str) -> Iterator[tuple[Order, Return]]:
    token = Order.objects.values_list("token", flat=True).get(returns=return_id)
    with locked_order(token=token) as order:
        asked = Return.objects.get(pk=return_id)
        if asked.status != expected:
            raise CannotDecide(f"This return is {asked.get_status_display().lower()} already.")
        asked.status = becomes
        asked.decided_at = asked.decided_at or timezone.now()
        asked.received_at = timezone.now() if becomes == Status.RECEIVED else None
        asked.save()
        yield order, asked


def _check(*, wanted: Mapping[int, int], left: Mapping[int, int]) -> None:
    if not left:
        raise CannotReturn(_("Nothing of this order can be sent back any more."))
    if not wanted:
        raise CannotReturn(_("Choose at least one book to send back."))
    if any(quantity > left.get(position, 0) for position, quantity in wanted.items()):
        raise CannotReturn(_("That is more than can be sent back. Choose from the lists."))


def _move_pieces(*, asked: Return, sign: int) -> None:
    lines = [line.order_line for line in _lines(asked=asked)]
    for line, moved in zip(lines, _lines(asked=asked), strict=True):
        line.returned_quantity += sign * moved.quantity
    OrderLine.objects.bulk_update(lines, ["returned_quantity"])


def _lines(*, asked: Return) -> list[ReturnLine]:
    return list(asked.lines.select_related("order_line").order_by("order_line__position"))


def _price(*, lines: Mapping[int, OrderLine], wanted: Mapping[int, int]) -> int:
    return sum(lines[position].unit_price * quantity for position, quantity in wanted.items())


def _worth(*, order: Order, price: int) -> int:
    """Return what the buyer paid for pieces of this price: a coupon took its share of each of them.

    Rounded down, so that all returns of an order together are never more than what its goods cost.
    """
    return price * (order.subtotal - order.discount) // order.subtotal if order.subtotal else 0


def _books(*, asked: Return) -> str:
    return ", ".join(str(line) for line in _lines(asked=asked))


def _write_down(*, order: Order, step: Step) -> None:
    write_down(changes=[Change(order=order, step=step)])


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1] + "…"
