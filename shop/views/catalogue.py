"""The catalogue and its products."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from shop.cart import MOST_OF_ONE
from shop.listing import read_listing
from shop.selectors import (
    ProductDetail,
    ProductNotFound,
    ProductPage,
    get_product,
    list_categories,
    list_facets,
    search_products,
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
        facets=listing.facet_values,
        sort=listing.sort,
        page=listing.page,
        page_size=PAGE_SIZE,
    )
    category_name = next((shelf.name for shelf in categories if shelf.slug == listing.category), "")
    context = {
        "listing": listing,
        "found": found,
        "books": _with_stock(found=found),
        "category_name": category_name,
        "category_links": listing.category_links(categories=categories),
        "chips": listing.chips(facets=facets, category_name=category_name),
        "facet_fields": listing.facet_fields(facets=facets),
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
    if not found.is_active:
        return render_page(request, "410.html", _similar_to(product=found), status=410)
    stock = read_stock(skus=[found.sku])[found.sku]
    choices = range(1, min(stock.available, MOST_OF_ONE) + 1)
    return render_page(request, "shop/product.html", {"product": found, "stock": stock, "choices": choices})


def _with_stock(*, found: ProductPage) -> list[dict[str, object]]:
    stock = read_stock(skus=[book.sku for book in found.products])
    return [{"product": book, "stock": stock[book.sku]} for book in found.products]


def _similar_to(*, product: ProductDetail) -> dict[str, object]:
    found = search_products(category=product.category_slug, page_size=SIMILAR)
    return {"product": product, "books": _with_stock(found=found)}
