"""What a visitor looks at in the catalogue. The address carries all of it: Back and shared links work."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.selectors import SORTS, CategoryValue, FacetValue

SORT_LABELS = {
    "": _("Best match"),
    "title": _("Title, A to Z"),
    "price": _("Price, low to high"),
    "-price": _("Price, high to low"),
    "newest": _("Newest here"),
}
_PAGES_AROUND = 2
_FACET_CHOICES = 6
_MOST_CHOSEN = 20


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere to go from here; `label` is empty for a gap between pages."""

    label: str
    url: str = ""
    is_current: bool = False


class FacetChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a facet, and how many products it would leave."""

    value: str
    count: int
    is_chosen: bool


class FacetField(msgspec.Struct, frozen=True, kw_only=True):
    """A facet to choose values from: the most frequent, and `more` that a page may fold away."""

    key: str
    label: str
    choices: list[FacetChoice]
    more: list[FacetChoice]

    @property
    def is_more_chosen(self) -> bool:
        """Whether what would be folded away holds a choice."""
        return any(choice.is_chosen for choice in self.more)


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """A restriction of a listing, and the listing without it."""

    label: str
    listing: "Listing"

    @property
    def url(self) -> str:
        """The address of the listing without this restriction."""
        return self.listing.url()


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A search, a shelf, facets, an order of sorting and a page, as the address says them."""

    search: str = ""
    category: str = ""
    facets: dict[str, tuple[str, ...]] = {}
    sort: str = ""
    page: int = 1

    @property
    def is_front_page(self) -> bool:
        """Whether nothing is searched, filtered, sorted or turned."""
        return self == Listing()

    def url(self, **changes: Any) -> str:
        """Return the address of this listing with `changes`, on page one unless they say otherwise."""
        there = msgspec.structs.replace(self, **{"page": 1, **changes})
        values = {"search": there.search, "category": there.category, **there.facets, "sort": there.sort}
        values["page"] = str(there.page) if there.page > 1 else ""
        query = urlencode({key: value for key, value in values.items() if value}, doseq=True)
        return reverse("shop:catalogue") + (f"?{query}" if query else "")

    def category_links(self, *, categories: Iterable[CategoryValue]) -> list[Link]:
        """Return a link to everything and one to each shelf; facets and search are left behind."""
        everything = Link(label=gettext("All books"), url=Listing().url(), is_current=not self.category)
        shelves = [
            Link(
                label=shelf.name,
                url=Listing(category=shelf.slug).url(),
                is_current=shelf.slug == self.category,
            )
            for shelf in categories
        ]
        return [everything, *shelves]

    def chips(self, *, facets: Iterable[FacetValue], category_name: str) -> list[Chip]:
        """Return what restricts this listing, each with the same listing without it."""
        labels = {facet.key: facet.label for facet in facets}
        chips = []
        if self.search:
            chips.append(self._chip(label=f"“{self.search}”", search=""))
        if self.category:
            chips.append(self._chip(label=category_name or self.category, category=""))
        for key, values in self.facets.items():
            for value in values:
                chips.append(
                    self._chip(label=f"{labels.get(key, key)}: {value}", facets=self._without(key, value))
                )
        return chips

    def facet_fields(
        self, *, facets: Iterable[FacetValue], counts: Mapping[str, Mapping[str, int]]
    ) -> list[FacetField]:
        """Return the facets that have values to choose from, the most frequent first."""
        fields = [self._facet_field(facet=facet, counts=counts.get(facet.key, {})) for facet in facets]
        return [field for field in fields if field.choices]

    def sort_options(self) -> list[Link]:
        """Return the orders of sorting; `url` holds the value that the form sends."""
        first = gettext("Best match") if self.search else gettext("Our order")
        return [
            Link(label=str(SORT_LABELS[sort]) if sort else first, url=sort, is_current=sort == self.sort)
            for sort in SORTS
        ]

    def _chip(self, *, label: str, **without: Any) -> Chip:
        return Chip(label=label, listing=msgspec.structs.replace(self, page=1, **without))

    def _without(self, key: str, value: str) -> dict[str, tuple[str, ...]]:
        rest = {**self.facets, key: tuple(other for other in self.facets[key] if other != value)}
        return {key: values for key, values in rest.items() if values}

    def _facet_field(self, *, facet: FacetValue, counts: Mapping[str, int]) -> FacetField:
        chosen = self.facets.get(facet.key, ())
        values = sorted({*counts, *chosen}, key=lambda value: (-counts.get(value, 0), value))
        choices = [
            FacetChoice(value=value, count=counts.get(value, 0), is_chosen=value in chosen)
            for value in values
        ]
        return FacetField(
            key=facet.key, label=facet.label, choices=choices[:_FACET_CHOICES], more=choices[_FACET_CHOICES:]
        )

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
        facets=_read_facets(query=query, facets=facets),
        sort=sort if sort in SORTS else "",
        page=int(page) if page.isdecimal() and len(page) < 7 and int(page) else 1,
    )


def _read_facets(*, query: QueryDict, facets: Iterable[FacetValue]) -> dict[str, tuple[str, ...]]:
    values = {facet.key: tuple(dict.fromkeys(filter(None, query.getlist(facet.key)))) for facet in facets}
    return {key: chosen[:_MOST_CHOSEN] for key, chosen in values.items() if chosen}
