"""Reviews: written by those who have had the book in their hands, shown once staff have looked at them."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.db.models import Avg, Count
from django.utils import timezone

from orders.selectors import has_received
from shop.models import Product, Review

SHOWN = 50
Status = Review.Status


class NotABuyer(PermissionError):
    """Only who has received a book may review it; nothing was written."""


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What readers think of a book on average, from 1 to 5, and how many they are."""

    average: float
    count: int


class ReviewValue(msgspec.Struct, frozen=True, kw_only=True):
    """A review as visitors read it, or as its writer edits it."""

    signature: str
    stars: int
    text: str
    status: str
    written_at: datetime


def ratings_of(*, skus: Iterable[str]) -> dict[str, Rating]:
    """Return the ratings by SKU; a book that nobody has reviewed is left out. One query."""
    published = Review.objects.filter(product__sku__in=list(skus), status=Status.PUBLISHED)
    rated = published.values_list("product__sku").annotate(Avg("stars"), Count("id")).order_by()
    return {sku: Rating(average=float(average), count=count) for sku, average, count in rated}


def reviews_of(*, sku: str) -> tuple[ReviewValue, ...]:
    """Return what visitors may read of a book, the newest first. One query."""
    rows = Review.objects.filter(product__sku=sku, status=Status.PUBLISHED).order_by("-written_at")
    return tuple(_value(row=row) for row in rows[:SHOWN])


def review_by(*, buyer_id: int, sku: str) -> ReviewValue | None:
    """Return what this account has written of a book, whatever became of it."""
    row = Review.objects.filter(product__sku=sku, buyer_id=buyer_id).first()
    return _value(row=row) if row else None


def may_review(*, buyer_id: int, sku: str) -> bool:
    """Say whether an order with this book has reached the account."""
    return has_received(buyer_id=buyer_id, sku=sku)


def write_review(*, buyer_id: int, sku: str, signature: str, stars: int, text: str) -> None:
    """Write a review, or write it anew; either way staff look at it before visitors do. Raises `NotABuyer`."""
    if not may_review(buyer_id=buyer_id, sku=sku):
        raise NotABuyer("Only who has received a book may review it.")
    written = {
        "signature": signature,
        "stars": stars,
        "text": text,
        "status": Status.PENDING,
        "written_at": timezone.now(),
    }
    Review.objects.update_or_create(product=Product.objects.get(sku=sku), buyer_id=buyer_id, defaults=written)


def _value(*, row: Review) -> ReviewValue:
    return ReviewValue(
        signature=row.signature, stars=row.stars, text=row.text, status=row.status, written_at=row.written_at
    )
