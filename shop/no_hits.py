"""What to offer where a listing holds nothing: words spelled as the catalogue spells them, and filters to drop."""

from collections.abc import Iterable

import msgspec

from shop.listing import Chip, Link, Listing
from shop.search import find_terms
from shop.selectors import count_products
from shop.spelling import correct_words

_MOST_TRIED = 6


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A listing that does hold something."""

    link: Link
    count: int


class Help(msgspec.Struct, frozen=True, kw_only=True):
    """The ways on from a listing without products; every one leads to some."""

    spelling: Offer | None
    without: list[Offer]


def find_help(*, listing: Listing, chips: Iterable[Chip]) -> Help:
    """Return the ways on. One query for the words, one for each offer considered."""
    spelling = _spelled_right(listing=listing)
    tried = [chip for chip in chips if chip.listing != Listing()][:_MOST_TRIED]
    offers = [_offer(label=chip.label, listing=chip.listing) for chip in tried]
    return Help(spelling=spelling, without=[offer for offer in offers if offer.count])


def _spelled_right(*, listing: Listing) -> Offer | None:
    words = find_terms(text=listing.search)
    meant = correct_words(words=words) if words else words
    if meant == words:
        return None
    search = " ".join(meant)
    here = _offer(label=search, listing=msgspec.structs.replace(listing, search=search, page=1))
    anywhere = here if here.count else _offer(label=search, listing=Listing(search=search))
    return anywhere if anywhere.count else None


def _offer(*, label: str, listing: Listing) -> Offer:
    count = count_products(search=listing.search, category=listing.category, facets=listing.facets)
    return Offer(link=Link(label=label, url=listing.url()), count=count)
