"""The catalogue."""

from urllib.parse import urlencode

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.apis.answers import answer
from shop.apis.documents import describe
from shop.apis.links import absolute
from shop.apis.problems import Refusal, refuse_fields
from shop.apis.values import Money, ProductEntry, ProductItem, ProductList
from shop.selectors import (
    SORTS,
    BadCursor,
    ProductDetail,
    ProductNotFound,
    ProductSlice,
    ProductSummary,
    UnknownSort,
    get_product,
    list_facets,
    scroll_products,
)
from shop.stock import StockState, read_stock

_PATH = "/api/v1/products/"
_MOST_LETTERS = 100


class Products(APIView):
    """What is for sale."""

    @describe(
        name="list_products",
        summary="Search and list products",
        tag="Products",
        gives=ProductList,
        refuses={422: "`sort` or `cursor` cannot be understood."},
        parameters=[
            OpenApiParameter("search", str, description="Words, of which all must be found."),
            OpenApiParameter("category", str, description="The slug of a category."),
            OpenApiParameter(
                "sort", str, enum=sorted(filter(None, SORTS)), description="Best match first without it."
            ),
            OpenApiParameter("cursor", str, description="From `next` or `previous` of an earlier answer."),
            OpenApiParameter(
                "facets",
                {"type": "object", "additionalProperties": {"type": "string"}},
                style="form",
                explode=True,
                description="Attributes by key, for example `language=French`; any of several values will do.",
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """Return a stretch of the listing that the query asks for."""
        query = request.query_params
        facets = {facet.key: query.getlist(facet.key) for facet in list_facets() if facet.key in query}
        search, category = query.get("search", "")[:_MOST_LETTERS], query.get("category", "")
        sort = query.get("sort", "")
        try:
            found = scroll_products(
                search=search, category=category, facets=facets, sort=sort, cursor=query.get("cursor", "")
            )
        except UnknownSort as error:
            raise refuse_fields({"sort": [str(error)]}) from error
        except BadCursor as error:
            raise refuse_fields({"cursor": [str(error)]}) from error
        return answer(
            _list(found=found, query={"search": search, "category": category, **facets, "sort": sort})
        )


class Product(APIView):
    """One product."""

    @describe(
        name="read_product",
        summary="Read a product",
        tag="Products",
        gives=ProductEntry,
        refuses={410: "The product is no longer sold."},
    )
    def get(self, request: Request, slug: str) -> HttpResponse:  # noqa: ARG002
        """Return the product with this slug."""
        try:
            found = get_product(slug=slug)
        except ProductNotFound as error:
            raise Refusal(404, str(error)) from error
        if not found.is_active:
            raise Refusal(410, "This product is no longer sold.")
        return answer(_entry(found, stock=read_stock(skus=[found.sku])[found.sku].state))


def _list(*, found: ProductSlice, query: dict[str, str | list[str]]) -> ProductList:
    stock = read_stock(skus=[product.sku for product in found.products])
    return ProductList(
        next=_page(query=query, cursor=found.next_cursor),
        previous=_page(query=query, cursor=found.previous_cursor),
        results=[_item(product, stock=stock[product.sku].state) for product in found.products],
    )


def _page(*, query: dict[str, str | list[str]], cursor: str) -> str | None:
    if not cursor:
        return None
    asked = {name: value for name, value in query.items() if value}
    return absolute(f"{_PATH}?{urlencode({**asked, 'cursor': cursor}, doseq=True)}")


def _item(product: ProductSummary, *, stock: StockState) -> ProductItem:
    return ProductItem(
        sku=product.sku,
        slug=product.slug,
        title=product.title,
        price=Money(amount=product.price_amount, currency=product.currency),
        stock=stock,
        image=absolute(product.cover_url),
        attributes=product.attributes,
    )


def _entry(product: ProductDetail, *, stock: StockState) -> ProductEntry:
    return ProductEntry(
        sku=product.sku,
        slug=product.slug,
        title=product.title,
        price=Money(amount=product.price_amount, currency=product.currency),
        stock=stock,
        image=absolute(product.cover_url),
        attributes=product.attributes,
        byline=product.byline,
        category=product.category_slug,
        description=product.description,
    )
