"""The catalogue and its products."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from shop.cart import MOST_OF_ONE
from shop.listing import read_listing
from shop.no_hits import find_help
from shop.reviews import may_review, ratings_of, reviews_of
from shop.selectors import (
    ProductDetail,
    ProductNotFound,
    ProductSummary,
    get_product,
    list_categories,
    list_facets,
    search_products,
    similar_products,
)
from shop.stock import read_stock
from shop.views.answers import HtmxRequest, render_page

# Full rows of two, three and six covers, and no more than 25 requests for a whole page.
PAGE_SIZE = 18
SIMILAR = 6


@require_safe
def catalogue(request: HtmxRequest) -> HttpResponse:
    """Show a listing: everything, a shelf, or what was searched for."""
    facets, categories = list_facets(), list_categories()
    listing = read_listing(query=request.GET, facets=facets)
    found = search_products(
        search=listing.search,
        category=listing.category,
        facets=listing.facets,
        sort=listing.sort,
        page=listing.page,
        page_size=PAGE_SIZE,
        facet_keys=[facet.key for facet in facets],
    )
    category_name = next((shelf.name for shelf in categories if shelf.slug == listing.category), "")
    chips = listing.chips(facets=facets, category_name=category_name)
    context = {
        "listing": listing,
        "found": found,
        "books": _beside(products=found.products),
        "category_name": category_name,
        "category_links": listing.category_links(categories=categories),
        "chips": chips,
        "facet_fields": listing.facet_fields(facets=facets, counts=found.facet_counts),
        "help": find_help(listing=listing, chips=chips) if not found.total else None,
        "sort_options": listing.sort_options(),
        "page_links": listing.page_links(page=found.page, page_count=found.page_count),
        "next_url": listing.url(page=found.page + 1) if found.page < found.page_count else "",
        "previous_url": listing.url(page=found.page - 1) if found.page > 1 else "",
    }
    response = render_page(request, "shop/catalogue.html", context, part="shop/_results.html")
    if request.htmx:
        response["HX-Push-Url"] = listing.url(page=found.page)
    return response


@require_safe
def product(request: HtmxRequest, slug: str) -> HttpResponse:
    """Show a product; one that is no longer sold says so (410) and names others."""
    try:
        found = get_product(slug=slug)
    except ProductNotFound as error:
        raise Http404 from error
    similar = _similar_to(product=found)
    if not found.is_active:
        return render_page(request, "410.html", {"product": found, "books": similar}, status=410)
    stock = read_stock(skus=[found.sku])[found.sku]
    choices = range(1, min(stock.available, MOST_OF_ONE) + 1)
    context = {
        "product": found,
        "stock": stock,
        "choices": choices,
        "similar": similar,
        "rating": ratings_of(skus=[found.sku]).get(found.sku),
        "reviews": reviews_of(sku=found.sku),
        "may_review": request.user.is_authenticated and may_review(buyer_id=request.user.pk, sku=found.sku),
    }
    return render_page(request, "shop/product.html", context)


def _beside(*, products: Sequence[ProductSummary]) -> list[dict[str, object]]:
    """Return the products with what a list says beside each: stock and rating."""
    skus = [product.sku for product in products]
    stock, ratings = read_stock(skus=skus), ratings_of(skus=skus)
    return [
        {"product": product, "stock": stock[product.sku], "rating": ratings.get(product.sku)}
        for product in products
    ]


def _similar_to(*, product: ProductDetail) -> list[dict[str, object]]:
    return _beside(products=similar_products(product=product, limit=SIMILAR))
