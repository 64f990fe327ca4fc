"""What a visitor looks at in the catalogue. The address carries all of it: Back and shared links work."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import QueryDict
from django.urls import reverse

from shop.selectors import SORTS, CategoryValue, FacetValue

SORT_LABELS = {
    "": "Best match",
    "title": "Title, A to Z",
    "price": "Price, low to high",
    "-price": "Price, high to low",
    "newest": "Newest here",
}
_PAGES_AROUND = 2


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere to go from here; `label` is empty for a gap between pages."""

    label: str
    url: str = ""
    is_current: bool = False


class FacetField(msgspec.Struct, frozen=True, kw_only=True):
    """A facet to choose from, and what is chosen."""

    key: str
    label: str
    choices: tuple[str, ...]
    chosen: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A search, a shelf, facets, an order of sorting and a page, as the address says them."""

    search: str = ""
    category: str = ""
    facets: dict[str, str] = {}
    sort: str = ""
    page: int = 1

    @property
    def is_front_page(self) -> bool:
        """Whether nothing is searched, filtered, sorted or turned."""
        return self == Listing()

    @property
    def facet_values(self) -> dict[str, list[str]]:
        """The facets as the catalogue's selector takes them."""
        return {key: [value] for key, value in self.facets.items()}

    def url(self, **changes: Any) -> str:
        """Return the address of this listing with `changes`, on page one unless they say otherwise."""
        there = msgspec.structs.replace(self, **{"page": 1, **changes})
        values = {"search": there.search, "category": there.category, **there.facets, "sort": there.sort}
        values["page"] = str(there.page) if there.page > 1 else ""
        query = urlencode({key: value for key, value in values.items() if value})
        return reverse("shop:catalogue") + (f"?{query}" if query else "")

    def category_links(self, *, categories: Iterable[CategoryValue]) -> list[Link]:
        """Return a link to everything and one to each shelf; facets and search are left behind."""
        everything = Link(label="All books", url=Listing().url(), is_current=not self.category)
        shelves = [
            Link(
                label=shelf.name,
                url=Listing(category=shelf.slug).url(),
                is_current=shelf.slug == self.category,
            )
            for shelf in categories
        ]
        return [everything, *shelves]

    def chips(self, *, facets: Iterable[FacetValue], category_name: str) -> list[Link]:
        """Return a link for each restriction, leading to the same listing without it."""
        labels = {facet.key: facet.label for facet in facets}
        chips = []
        if self.search:
            chips.append(Link(label=f"“{self.search}”", url=self.url(search="")))
        if self.category:
            chips.append(Link(label=category_name or self.category, url=self.url(category="")))
        for key, value in self.facets.items():
            rest = {other: text for other, text in self.facets.items() if other != key}
            chips.append(Link(label=f"{labels.get(key, key)}: {value}", url=self.url(facets=rest)))
        return chips

    def facet_fields(self, *, facets: Iterable[FacetValue]) -> list[FacetField]:
        """Return the facets that have values to choose from."""
        return [
            FacetField(
                key=facet.key, label=facet.label, choices=facet.choices, chosen=self.facets.get(facet.key, "")
            )
            for facet in facets
            if facet.choices
        ]

    def sort_options(self) -> list[Link]:
        """Return the orders of sorting; `url` holds the value that the form sends."""
        first = "Best match" if self.search else "Our order"
        return [
            Link(label=SORT_LABELS[sort] if sort else first, url=sort, is_current=sort == self.sort)
            for sort in SORTS
        ]

    def page_links(self, *, page: int, page_count: int) -> list[Link]:
        """Return links to the first, the last and the pages around this one, with gaps between."""
        shown = [
            number
            for number in range(1, page_count + 1)
            if number in (1, page_count) or abs(number - page) <= _PAGES_AROUND
        ]
        links: list[Link] = []
        for before, number in zip([0, *shown], shown, strict=False):
            if number - before > 1:
                links.append(Link(label=""))
            links.append(Link(label=str(number), url=self.url(page=number), is_current=number == page))
        return links


def read_listing(*, query: QueryDict, facets: Iterable[FacetValue]) -> Listing:
    """Return what an address asks for; what it says that the shop does not know is left out."""
    sort = query.get("sort", "")
    page = query.get("page", "")
    return Listing(
        search=" ".join(query.get("search", "").split())[:100],
        category=query.get("category", ""),
        facets={facet.key: value for facet in facets if (value := query.get(facet.key))},
        sort=sort if sort in SORTS else "",
        page=int(page) if page.isdecimal() and len(page) < 7 and int(page) else 1,
    )
