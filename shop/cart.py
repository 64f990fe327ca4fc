"""The basket: the session keeps what the buyer wants and last saw; prices and stock come from the shop.

A line whose price or stock has moved since is told as a change, until the buyer touches that line or orders.
The lines of somebody who is signed in are kept with the account as well, for their next session.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from shop.accounts import account_of
from shop.models import KeptCart
from shop.selectors import ProductPrice, products_by_sku
from shop.stock import Stock, read_stock

MOST_OF_ONE = 20
_LINES = "cart"
_REMOVED = "cart_removed"


class NotForSale(LookupError):
    """The product is not sold, or sold out; tell the buyer, the basket is as it was."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """How many pieces at what price (minor units) the buyer last saw."""

    quantity: int
    unit_price: int


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product in the basket. `quantity` is what can be ordered now, `most` what can be chosen."""

    sku: str
    slug: str
    title: str
    byline: str
    cover_url: str
    quantity: int
    most: int
    unit_price: int
    currency: str
    seen: Seen

    @property
    def total(self) -> int:
        """What the line costs, in minor units."""
        return self.quantity * self.unit_price

    @property
    def choices(self) -> range:
        """The quantities that can be chosen."""
        return range(1, self.most + 1)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is no longer as the buyer saw it: a price in minor units, or a quantity (0 when none is left)."""

    title: str
    kind: Literal["price", "quantity"]
    before: int
    now: int
    currency: str


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """The line removed last, which can still be put back."""

    sku: str
    title: str
    seen: Seen


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """The basket as it stands now: what can be ordered, at today's prices."""

    lines: tuple[CartLine, ...] = ()
    removed: Removed | None = None

    @property
    def orderable(self) -> tuple[CartLine, ...]:
        """The lines of which at least one piece can be ordered."""
        return tuple(line for line in self.lines if line.quantity)

    @property
    def count(self) -> int:
        """How many pieces would be ordered."""
        return sum(line.quantity for line in self.lines)

    @property
    def total(self) -> int:
        """What they cost, in minor units of `currency`."""
        return sum(line.total for line in self.lines)

    @property
    def currency(self) -> str:
        """The currency of every price."""
        return self.lines[0].currency if self.lines else ""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What moved since the buyer put it in."""
        return self.changes_since(seen={line.sku: line.seen for line in self.lines})

    def changes_since(self, *, seen: Mapping[str, Seen]) -> tuple[Change, ...]:
        """Return how the basket differs from what the buyer saw, by SKU."""
        found = [
            _find_changes(line=line, seen=seen.get(line.sku, Seen(0, line.unit_price))) for line in self.lines
        ]
        return tuple(change for changes in found for change in changes)


def read_cart(*, session: SessionBase) -> Cart:
    """Return the basket at the prices and stock of now. Two queries, none when it is empty."""
    wanted = _read_lines(session=session)
    if not wanted:
        return Cart(removed=_read_removed(session=session))
    products, stock = products_by_sku(skus=wanted), read_stock(skus=wanted)
    lines = [
        _make_line(product=products[sku], stock=stock[sku], seen=seen)
        for sku, seen in wanted.items()
        if sku in products
    ]
    return Cart(lines=tuple(lines), removed=_read_removed(session=session))


def count_pieces(*, session: SessionBase) -> int:
    """Return how many pieces the buyer put in. No query."""
    return sum(seen.quantity for seen in _read_lines(session=session).values())


def add_to_cart(*, session: SessionBase, sku: str, quantity: int) -> CartLine:
    """Put `quantity` pieces in, on top of those already there, and return the line.

    No more than are in stock, nor than `MOST_OF_ONE`, ever lie in a basket. Raises `NotForSale`.
    """
    lines = _read_lines(session=session)
    before = lines[sku].quantity if sku in lines else 0
    line = _offer(sku=sku, quantity=before + quantity)
    _write_lines(session=session, lines={**lines, sku: line.seen})
    session.pop(_REMOVED, None)
    return line


def change_quantity(*, session: SessionBase, sku: str, quantity: int) -> None:
    """Have `quantity` pieces of a product that lies in the basket; 0 takes it out. Raises `NotForSale`."""
    lines = _read_lines(session=session)
    if sku not in lines:
        return None
    if not quantity:
        return remove_from_cart(session=session, sku=sku)
    _write_lines(session=session, lines={**lines, sku: _offer(sku=sku, quantity=quantity).seen})
    session.pop(_REMOVED, None)
    return None


def remove_from_cart(*, session: SessionBase, sku: str) -> None:
    """Take a product out, and remember it so that `undo_removal` can put it back."""
    lines = _read_lines(session=session)
    if sku not in lines:
        return
    product, seen = products_by_sku(skus=[sku]).get(sku), lines.pop(sku)
    removed = Removed(sku=sku, title=product.title if product else sku, seen=seen)
    _write_lines(session=session, lines=lines)
    session[_REMOVED] = msgspec.to_builtins(removed)


def undo_removal(*, session: SessionBase) -> None:
    """Put back what was taken out last, as it was. Nothing happens when there is nothing to undo."""
    removed = _read_removed(session=session)
    session.pop(_REMOVED, None)
    if removed:
        lines = _read_lines(session=session)
        _write_lines(session=session, lines={**lines, removed.sku: removed.seen})


def empty_cart(*, session: SessionBase) -> None:
    """Take everything out."""
    _write_lines(session=session, lines={})
    session.pop(_REMOVED, None)


def merge_cart(*, session: SessionBase, user_id: int) -> None:
    """Put together what a guest gathered and what the account kept; of what is in both, the larger number."""
    kept = KeptCart.objects.filter(user_id=user_id).values_list("lines", flat=True).first()
    lines = msgspec.convert(kept or {}, dict[str, Seen])
    for sku, seen in _read_lines(session=session).items():
        lines[sku] = max(seen, lines.get(sku, seen), key=lambda one: one.quantity)
    _write_lines(session=session, lines=lines)


def _offer(*, sku: str, quantity: int) -> CartLine:
    product = products_by_sku(skus=[sku]).get(sku)
    if not product or not product.is_active:
        raise NotForSale(_("This book is no longer sold."))
    stock = read_stock(skus=[sku])[sku]
    if not stock.available:
        raise NotForSale(_("%(title)s is sold out.") % {"title": product.title})
    held = min(quantity, stock.available, MOST_OF_ONE)
    return _make_line(product=product, stock=stock, seen=Seen(held, product.price_amount))


def _make_line(*, product: ProductPrice, stock: Stock, seen: Seen) -> CartLine:
    most = min(stock.available, MOST_OF_ONE) if product.is_active else 0
    return CartLine(
        sku=product.sku,
        slug=product.slug,
        title=product.title,
        byline=product.byline,
        cover_url=product.cover_url,
        quantity=min(seen.quantity, most),
        most=most,
        unit_price=product.price_amount,
        currency=product.currency,
        seen=seen,
    )


def _find_changes(*, line: CartLine, seen: Seen) -> list[Change]:
    pairs: list[tuple[Literal["price", "quantity"], int, int]] = [("quantity", seen.quantity, line.quantity)]
    if line.quantity:
        pairs.append(("price", seen.unit_price, line.unit_price))
    return [
        Change(title=line.title, kind=kind, before=before, now=now, currency=line.currency)
        for kind, before, now in pairs
        if before != now
    ]


def _read_lines(*, session: SessionBase) -> dict[str, Seen]:
    return msgspec.convert(session.get(_LINES, {}), dict[str, Seen])


def _write_lines(*, session: SessionBase, lines: Mapping[str, Seen]) -> None:
    session[_LINES] = msgspec.to_builtins(lines)
    if user_id := account_of(session=session):
        KeptCart.objects.update_or_create(user_id=user_id, defaults={"lines": session[_LINES]})


def _read_removed(*, session: SessionBase) -> Removed | None:
    return msgspec.convert(session.get(_REMOVED), Removed | None)
