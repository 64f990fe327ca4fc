"""The wish list: what a visitor wants to come back to, and the price it had when they saved it.

A guest's is in the session; that of an account is in rows, so that price drops and returned stock can be told by mail.
"""

from collections.abc import Iterable, Mapping

import msgspec
from django.contrib.sessions.backends.base import SessionBase

from shop.accounts import account_of
from shop.models import Wish
from shop.selectors import ProductPrice, products_by_sku
from shop.stock import Stock, read_stock

MOST = 100
_WISHES = "wishes"


class UnknownProduct(LookupError):
    """No product has this SKU, so it cannot be saved."""


class WishlistFull(ValueError):
    """There is no room for another wish; take one out first."""


class WishValue(msgspec.Struct, frozen=True, kw_only=True):
    """A saved product as it is now, and what it cost when it was saved (minor units)."""

    product: ProductPrice
    stock: Stock
    saved_price: int

    @property
    def is_cheaper(self) -> bool:
        """Say whether the price has dropped since."""
        return self.product.price_amount < self.saved_price

    @property
    def can_be_bought(self) -> bool:
        """Say whether a piece can be put into the basket."""
        return self.product.is_active and self.stock.available > 0


def read_wishlist(*, session: SessionBase) -> tuple[WishValue, ...]:
    """Return what was saved, the latest first. Three queries, none for a guest who has saved nothing."""
    saved = _read(session=session)
    if not saved:
        return ()
    products, stock = products_by_sku(skus=saved), read_stock(skus=saved)
    return tuple(
        WishValue(product=products[sku], stock=stock[sku], saved_price=price)
        for sku, price in reversed(saved.items())
        if sku in products
    )


def is_saved(*, session: SessionBase, sku: str) -> bool:
    """Say whether this product is on the list."""
    return sku in _read(session=session)


def save_wish(*, session: SessionBase, sku: str) -> ProductPrice:
    """Put a product on the list, and return it; saving it again changes nothing.

    Raises `UnknownProduct`, `WishlistFull`.
    """
    product = products_by_sku(skus=[sku]).get(sku)
    if not product:
        raise UnknownProduct(f"No product has the SKU '{sku}'.")
    saved = _read(session=session)
    if sku not in saved:
        if len(saved) >= MOST:
            raise WishlistFull(f"A wish list has room for {MOST} books. Take one out first.")
        _add(session=session, prices={sku: product.price_amount})
    return product


def drop_wish(*, session: SessionBase, sku: str) -> None:
    """Take a product off the list."""
    if user_id := account_of(session=session):
        Wish.objects.filter(user_id=user_id, sku=sku).delete()
    else:
        session[_WISHES] = {key: price for key, price in _read(session=session).items() if key != sku}


def merge_wishlist(*, session: SessionBase, user_id: int) -> None:
    """Put what a guest saved onto the list of the account they have signed in to, as far as there is room."""
    gathered: Mapping[str, int] = session.pop(_WISHES, {})
    room = MOST - Wish.objects.filter(user_id=user_id).count()
    _insert(user_id=user_id, prices=dict(list(gathered.items())[: max(room, 0)]))


def _read(*, session: SessionBase) -> dict[str, int]:
    if user_id := account_of(session=session):
        rows = Wish.objects.filter(user_id=user_id).order_by("id")
        return dict(rows.values_list("sku", "saved_price"))
    saved: dict[str, int] = session.get(_WISHES, {})
    return saved


def _add(*, session: SessionBase, prices: Mapping[str, int]) -> None:
    if user_id := account_of(session=session):
        _insert(user_id=user_id, prices=prices)
    else:
        session[_WISHES] = {**_read(session=session), **prices}


def _insert(*, user_id: int, prices: Mapping[str, int]) -> None:
    wishes: Iterable[Wish] = [
        Wish(user_id=user_id, sku=sku, saved_price=price, told_price=price) for sku, price in prices.items()
    ]
    Wish.objects.bulk_create(wishes, ignore_conflicts=True)
