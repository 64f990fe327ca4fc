"""Why an order is where it is, in words for staff."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.formats import date_format

from events.money import format_money
from orders.models import Order, Return, TimelineEntry
from orders.rules import late_before
from orders.selectors import OrderNotFound
from workers.selectors import HeldUp, Unsent, events_held_up, events_unsent

Status = Order.Status


def stuck(*, orders: QuerySet[Order]) -> QuerySet[Order]:
    """Keep the orders whose next step is the shop's and more than two minutes late."""
    late = Q()
    for status, due_at in late_before().items():
        late |= Q(status=status, updated_at__lt=due_at)
    return orders.filter(late)


def refund_due(*, orders: QuerySet[Order]) -> QuerySet[Order]:
    """Keep the orders whose money is to go back and has not, or not all of it."""
    asked = TimelineEntry.objects.filter(order=OuterRef("pk"), type="refund_requested")
    owed = Q(status__in=[Status.CANCELLED, Status.REJECTED]) | Exists(asked)
    rest_due = owed & Q(refunded_amount__lt=F("paid_amount"))
    return orders.filter(rest_due | Q(refunded_amount__lt=Subquery(_worth_of_returns())))


def _worth_of_returns() -> "QuerySet[Return, Any]":
    agreed = Return.objects.filter(
        order=OuterRef("pk"), status__in=[Return.Status.APPROVED, Return.Status.RECEIVED]
    )
    return agreed.order_by().values("order").annotate(worth=Sum("amount")).values("worth")


def outcome_awaited(*, orders: QuerySet[Order]) -> QuerySet[Order]:
    """Keep the orders whose card is being charged and nobody knows yet how that ends."""
    return orders.filter(status=Status.RESERVED)


def standing(*, order: Order) -> str:
    """Return why the order is where it is: what it waits for, and what holds that up."""
    held_up = events_held_up(order_id=order.id)
    if order.status == Status.COMPLETED:
        held_up = tuple(event for event in held_up if not event.is_discarded)
    return " ".join(
        [
            _step_words(order=order),
            *(_held_up_words(event=event) for event in held_up),
            *(_unsent_words(event=event) for event in events_unsent(order_id=order.id)),
        ]
    )


def standing_of(*, number: str) -> str:
    """Return the `standing` of the order with this number; raises `OrderNotFound`."""
    order = Order.objects.filter(number=number.strip().upper()).first()
    if order is None:
        raise OrderNotFound(f"There is no order {number}.")
    return standing(order=order)


def _step_words(*, order: Order) -> str:
    match order.status:
        case Status.PLACED:
            return "Waits for inventory to hold the books."
        case Status.RESERVED:
            return f"The books are held{_until(order=order)}; waits for payments to charge the card."
        case Status.ACTION_REQUIRED:
            return f"Waits for the buyer to approve the payment at the bank{_until(order=order)}."
        case Status.PAYMENT_DECLINED:
            declined = f"The card was declined ({order.decline_code})"
            return f"{declined}; the buyer may give another one{_until(order=order)}."
        case Status.CONFIRMED:
            return f"Paid; waits for shipments to send the parcel.{_money_words(order=order)}"
        case Status.SHIPPED:
            return f"{order.carrier} has the parcel.{_money_words(order=order)}"
        case Status.COMPLETED:
            return f"Delivered.{_money_words(order=order) or ' Nothing is left to do.'}"
        case Status.CANCELLED:
            by = order.reason.removeprefix("cancelled_by_")
            return f"Cancelled by {by}.{_money_words(order=order)}"
        case _:
            return f"Ended unsold: {_rejection_words(order=order)}.{_money_words(order=order)}"


def _rejection_words(*, order: Order) -> str:
    match order.reason:
        case "out_of_stock":
            return "there was too little of " + ", ".join(order.short_skus)
        case "payment_declined":
            return "the card was declined, and no other came in time"
        case _:
            return "the payment did not arrive in time"


def _money_words(*, order: Order) -> str:
    refunded = format_money(amount=order.refunded_amount, currency=order.currency)
    if (owed := _owed(order=order)) > 0:
        rest = format_money(amount=owed, currency=order.currency)
        return f" {rest} still has to go back to the buyer."
    return f" {refunded} went back to the buyer." if order.refunded_amount else ""


def _owed(*, order: Order) -> int:
    asked = order.timeline.filter(type="refund_requested").exists()
    if asked or order.status in (Status.CANCELLED, Status.REJECTED):
        return order.paid_amount - order.refunded_amount
    worth = Order.objects.filter(pk=order.pk).values_list(Subquery(_worth_of_returns()), flat=True).get()
    return (worth or 0) - order.refunded_amount


def _until(*, order: Order) -> str:
    return f" until {_moment(at=order.hold_expires_at)}" if order.hold_expires_at else ""


def _held_up_words(*, event: HeldUp) -> str:
    name = _name_of(event_type=event.event_type)
    if event.is_discarded:
        return f"Staff discarded {name} for the {event.worker} worker, which will not do its part."
    tries = "1 try" if event.attempts == 1 else f"{event.attempts} tries"
    if event.next_try_at is None:
        return f"Held up: the {event.worker} worker gave up on {name} after {tries}; see its dead letter."
    when = _moment(at=event.next_try_at)
    return f"Held up: the {event.worker} worker failed at {name} ({tries}); next try {when}."


def _unsent_words(*, event: Unsent) -> str:
    name = _name_of(event_type=event.event_type)
    if event.blocked_reason:
        return f"Held up: {name} cannot leave the outbox, and holds all that follows. {event.blocked_reason}"
    return (
        f"Held up: {name} has waited in the outbox since {_moment(at=event.since)}; see the relay and Kafka."
    )


def _name_of(*, event_type: str) -> str:
    return event_type.rpartition(".")[0].rpartition(".")[2] or event_type


def _moment(*, at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M, H:i:s")
