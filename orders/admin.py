"""Orders as staff see them: found, explained, cancelled and refunded."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from events.admin_pages import (
    Deed,
    Link,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ReasonForm,
    first_error,
    list_link,
    shown_address,
    shown_age,
    shown_lines,
    shown_state,
)
from events.money import format_money
from orders.facts import address_of
from orders.models import Order, OrderLine, RefusedTransition, Return, ReturnLine, TimelineEntry
from orders.returns import CannotDecide, approve_return, receive_return, refuse_return
from orders.rules import can_cancel, can_refund
from orders.services import CannotCancel, CannotRefund, cancel_order, request_refund
from orders.standing import outcome_awaited, refund_due, standing, stuck

# The lists where other apps tell of an order: their model, their name, and what they find orders by.
_ELSEWHERE = [
    ("orders.return", "Returns", "order_id"),
    ("inventory.reservation", "Reservation", "order_id"),
    ("payments.payment", "Payment", "order_id"),
    ("shipments.parcel", "Parcel", "order_id"),
    ("notifications.email", "E-mails", "order_id"),
    ("workers.deadletter", "Dead letters", "q"),
    ("workers.parkedevent", "Parked events", "q"),
    ("events.outboxevent", "Outbox", "q"),
]


class AttentionFilter(admin.SimpleListFilter):
    """Orders that may need a hand."""

    title = "attention"
    parameter_name = "attention"
    kinds: dict[str, tuple[str, Callable[..., QuerySet[Order]]]] = {
        "stuck": ("Stuck for over 2 minutes", stuck),
        "outcome_awaited": ("Payment's outcome not known", outcome_awaited),
        "refund_due": ("Refund due", refund_due),
    }

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Name the kinds."""
        return [(kind, name) for kind, (name, _) in self.kinds.items()]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Keep the orders of the chosen kind."""
        kind = self.value()
        return self.kinds[kind][1](orders=queryset) if kind in self.kinds else queryset


class LineInline(ReadOnlyInline):
    """What was bought."""

    model = OrderLine
    verbose_name_plural = "Lines"
    fields = readonly_fields = ("title", "sku", "quantity", "each", "together")
    ordering = ("position",)

    @admin.display(description="each")
    def each(self, line: OrderLine) -> str:
        """Show the price of one piece."""
        return format_money(amount=line.unit_price, currency=line.order.currency)

    @admin.display(description="together")
    def together(self, line: OrderLine) -> str:
        """Show the price of the line."""
        return format_money(amount=line.unit_price * line.quantity, currency=line.order.currency)


class TimelineInline(ReadOnlyInline):
    """The story as the buyer reads it."""

    model = TimelineEntry
    verbose_name_plural = "Timeline"
    fields = readonly_fields = ("sequence", "type", "text", "at")


class RefusedInline(ReadOnlyInline):
    """Events the order could no longer follow."""

    model = RefusedTransition
    verbose_name_plural = "Events refused because they came too late"
    fields = readonly_fields = ("at", "event_type", "status", "event_id")
    ordering = ("at",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders, newest first."""

    list_display = ["number", "state", "money", "email", "age", "sequence", "placed_at"]
    list_filter = [AttentionFilter, "status", "placed_at"]
    list_per_page = 50
    search_fields = ["number"]
    search_help_text = "Search by order number, e-mail address, tracking number, or order id."
    ordering = ["-placed_at"]
    fieldsets = [
        (None, {"fields": ["why", "state", "number", "id", "placed_at", "updated_at", "sequence"]}),
        ("Buyer", {"fields": ["email", "address"]}),
        (
            "Payment",
            {
                "fields": [
                    "costs",
                    "money",
                    "tax_part",
                    "card",
                    "paid",
                    "refunded",
                    "decline_code",
                    "hold_expires_at",
                ]
            },
        ),
        ("Parcel", {"fields": ["carrier", "tracking_number", "estimated_delivery_on"]}),
        ("What staff did", {"fields": ["staff_log"]}),
    ]
    readonly_fields = [
        "why",
        "state",
        "costs",
        "money",
        "tax_part",
        "address",
        "card",
        "paid",
        "refunded",
        "staff_log",
    ]

    def get_inlines(self, _request: HttpRequest, obj: Any = None) -> list[Any]:
        """Most orders never refuse an event; theirs need no table of them."""
        refused = obj is not None and obj.refused_transitions.exists()
        return [LineInline, TimelineInline, *([RefusedInline] if refused else [])]

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Find by what a buyer or a carrier would quote."""
        term = search_term.strip()
        return (queryset.filter(_match(term=term)) if term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        """Add the two deeds."""
        cancel = self.admin_site.admin_view(self.cancel_view)
        refund = self.admin_site.admin_view(self.refund_view)
        own = [
            path("<path:object_id>/cancel/", cancel, name="order_cancel"),
            path("<path:object_id>/refund/", refund, name="order_refund"),
        ]
        return own + super().get_urls()

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST with a `reason`: cancel the order; money that was captured goes back."""
        return self._do(request, object_id, permission="orders.cancel_order", deed=_cancel)

    def refund_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST with a `reason`: send the order's money back."""
        return self._do(request, object_id, permission="orders.refund_order", deed=_refund)

    def _do(
        self, request: HttpRequest, object_id: str, *, permission: str, deed: Callable[..., str]
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(permission):
            raise PermissionDenied
        order, form = self._order(request, object_id), ReasonForm(request.POST)
        try:
            self._record(request, order=order, form=form, deed=deed)
        except (CannotCancel, CannotRefund, ValueError) as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))

    @transaction.atomic
    def _record(
        self, request: HttpRequest, *, order: Order, form: ReasonForm, deed: Callable[..., str]
    ) -> None:
        if error := first_error(form=form):
            raise ValueError(error)
        reason = form.cleaned_data["reason"]
        done = deed(token=order.token, reason=reason)
        self.log_change(request, order, f"{done} {reason}")
        messages.success(request, done)

    def _order(self, request: HttpRequest, object_id: str) -> Order:
        order: Order | None = self.get_object(request, unquote(object_id))
        if order is None:
            raise Http404("There is no such order.")
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        return order

    def deeds(self, request: HttpRequest, row: Order) -> list[Deed]:
        """Offer what the order allows and the member of staff may do."""
        deeds = []
        if request.user.has_perm("orders.cancel_order") and can_cancel(order=row):
            deeds.append(_cancel_deed(order=row))
        if request.user.has_perm("orders.refund_order") and can_refund(order=row):
            deeds.append(_refund_deed(order=row))
        return deeds

    def links(self, request: HttpRequest, row: Order) -> list[Link]:
        """Lead to what the other services know of the order."""
        elsewhere = [
            list_link(user=request.user, model=model, name=name, **{query: str(row.id)})
            for model, name, query in _ELSEWHERE
        ]
        return [link for links in elsewhere for link in links]

    @admin.display(description="Why it is where it is")
    def why(self, order: Order) -> str:
        """Say what the order waits for."""
        return standing(order=order)

    @admin.display(description="Status", ordering="status")
    def state(self, order: Order) -> SafeString:
        """Show the status as a badge."""
        return shown_state(state=order.status, label=order.get_status_display())

    @admin.display(description="Total", ordering="total")
    def money(self, order: Order) -> str:
        """Show the total in major units."""
        return format_money(amount=order.total, currency=order.currency)

    @admin.display(description="Goods, coupon, delivery")
    def costs(self, order: Order) -> str:
        """Show what the total is made of."""
        subtotal, discount, shipping = (
            format_money(amount=amount, currency=order.currency)
            for amount in (order.subtotal, -order.discount, order.shipping)
        )
        coupon = f", {discount} with {order.coupon}" if order.coupon else ""
        return f"{subtotal} for the goods{coupon}, {shipping} for delivery ({order.shipping_method})"

    @admin.display(description="Tax within")
    def tax_part(self, order: Order) -> str:
        """Show the tax that is part of the total."""
        tax = format_money(amount=order.tax, currency=order.currency)
        return f"{tax} at {order.tax_rate / 100:g} %"

    @admin.display(description="Age", ordering="-placed_at")
    def age(self, order: Order) -> str:
        """Say how long ago it was placed."""
        return shown_age(since=order.placed_at)

    @admin.display(description="Ships to")
    def address(self, order: Order) -> SafeString:
        """Show the address as on a parcel."""
        return shown_address(address=address_of(order=order))

    @admin.display(description="Card")
    def card(self, order: Order) -> str:
        """Show what is kept of the card."""
        return f"{order.card_brand} ending in {order.card_last4}" if order.card_last4 else "-"

    @admin.display(description="Paid")
    def paid(self, order: Order) -> str:
        """Show what was captured."""
        return format_money(amount=order.paid_amount, currency=order.currency)

    @admin.display(description="Refunded")
    def refunded(self, order: Order) -> str:
        """Show what went back."""
        return format_money(amount=order.refunded_amount, currency=order.currency)

    @admin.display(description="Cancelled, refunded")
    def staff_log(self, order: Order) -> SafeString:
        """Show who did what, and why."""
        return _shown_log(model="order", row_id=str(order.pk))


def _receive(*, return_id: UUID, reason: str) -> None:  # noqa: ARG001  (the log keeps it)
    receive_return(return_id=return_id)


class ReturnLineInline(ReadOnlyInline):
    """What comes back."""

    model = ReturnLine
    verbose_name_plural = "Books"
    fields = readonly_fields = ("title", "sku", "quantity")

    @admin.display(description="title")
    def title(self, line: ReturnLine) -> str:
        """Show the book."""
        return line.order_line.title

    @admin.display(description="SKU")
    def sku(self, line: ReturnLine) -> str:
        """Show its SKU."""
        return line.order_line.sku


@admin.register(Return)
class ReturnAdmin(ReadOnlyAdmin):
    """What buyers want to send back, what waits longest first."""

    list_display = ["order", "state", "money", "reason", "requested_at", "decided_at", "received_at"]
    list_filter = ["status", "reason"]
    list_select_related = ["order"]
    list_per_page = 50
    search_fields = ["order__number"]
    ordering = ["requested_at"]
    fields = ["order", "state", "money", "reason", "requested_at", "decided_at", "received_at", "staff_log"]
    readonly_fields = ["state", "money", "staff_log"]
    inlines = [ReturnLineInline]
    # What staff do with a return: what it is called, what follows, in which state, and how.
    ways: ClassVar[dict[str, tuple[str, str, str, Callable[..., None]]]] = {
        "approve": (
            "Approve",
            "{amount} goes back to the card, and the buyer is asked to send the books.",
            Return.Status.REQUESTED,
            approve_return,
        ),
        "refuse": (
            "Refuse",
            "The buyer keeps the books and reads your reason.",
            Return.Status.REQUESTED,
            refuse_return,
        ),
        "receive": (
            "Take in",
            "The books have come back and are for sale again.",
            Return.Status.APPROVED,
            _receive,
        ),
    }

    def get_urls(self) -> list[URLPattern]:
        """Add the deeds."""
        view = self.admin_site.admin_view(self.do_view)
        return [path("<uuid:return_id>/do/<slug:way>/", view, name="return_do"), *super().get_urls()]

    def do_view(self, request: HttpRequest, return_id: UUID, way: str) -> HttpResponse:
        """POST with a `reason`: take the return one step further."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("orders.decide_return"):
            raise PermissionDenied
        found = self.get_object(request, str(return_id))
        if found is None or way not in self.ways:
            raise Http404("There is no such return.")
        try:
            self._record(request, found=found, way=way)
        except (CannotDecide, ValueError) as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:orders_return_change", args=[return_id]))

    @transaction.atomic
    def _record(self, request: HttpRequest, *, found: Return, way: str) -> None:
        form = ReasonForm(request.POST)
        if error := first_error(form=form):
            raise ValueError(error)
        name, _consequence, _status, do = self.ways[way]
        do(return_id=found.pk, reason=form.cleaned_data["reason"])
        self.log_change(request, found, f"{name}: {form.cleaned_data['reason']}")
        messages.success(request, f"{name}: done.")

    def deeds(self, request: HttpRequest, row: Return) -> list[Deed]:
        """Offer what comes next, to staff who may."""
        if not request.user.has_perm("orders.decide_return"):
            return []
        amount = format_money(amount=row.amount, currency=row.order.currency)
        return [
            Deed(
                name=name,
                consequence=consequence.format(amount=amount),
                url=reverse("admin:return_do", args=[row.pk, way]),
            )
            for way, (name, consequence, status, _do) in self.ways.items()
            if row.status == status
        ]

    def links(self, request: HttpRequest, row: Return) -> list[Link]:
        """Lead to the order."""
        return list_link(user=request.user, model="orders.order", name="The order", q=row.order.number)

    @admin.display(description="Status", ordering="status")
    def state(self, row: Return) -> SafeString:
        """Show the status as a badge."""
        return shown_state(state=row.status, label=row.get_status_display())

    @admin.display(description="Worth")
    def money(self, row: Return) -> str:
        """Show what goes back."""
        return format_money(amount=row.amount, currency=row.order.currency)

    @admin.display(description="What staff did")
    def staff_log(self, row: Return) -> SafeString:
        """Show who did what, and why."""
        return _shown_log(model="return", row_id=str(row.pk))


def _shown_log(*, model: str, row_id: str) -> SafeString:
    entries = LogEntry.objects.filter(
        content_type__app_label="orders", content_type__model=model, object_id=row_id
    )
    lines = [
        f"{entry.action_time:%Y-%m-%d %H:%M} {entry.user}: {entry.get_change_message()}"
        for entry in entries.select_related("user").order_by("action_time")
    ]
    return shown_lines(lines=lines or ["Nothing."])


def _match(*, term: str) -> Q:
    try:
        return Q(pk=UUID(term))
    except ValueError:
        return (
            Q(number=term.upper())
            | Q(tracking_number__iexact=term)
            | (Q(email__iexact=term) if "@" in term else Q(email__istartswith=term))
        )


def _cancel(*, token: str, reason: str) -> str:
    cancel_order(token=token, by="staff", reason=reason)
    return "Cancelled the order."


def _refund(*, token: str, reason: str) -> str:
    request_refund(token=token, by="staff", reason=reason)
    return "Asked for the refund."


def _cancel_deed(*, order: Order) -> Deed:
    paid = " and the buyer gets the money back" if order.paid_amount else ""
    return Deed(
        name="Cancel order",
        consequence=f"The books are for sale again{paid}. It cannot be undone.",
        url=reverse("admin:order_cancel", args=[order.pk]),
    )


def _refund_deed(*, order: Order) -> Deed:
    amount = format_money(amount=order.paid_amount - order.refunded_amount, currency=order.currency)
    return Deed(
        name="Refund",
        consequence=f"{amount} goes back to the card. The order stays as it is.",
        url=reverse("admin:order_refund", args=[order.pk]),
    )
