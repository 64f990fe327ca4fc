"""The catalogue for staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator

from events.money import format_money
from shop.covers import cover_url
from shop.models import Attribute, Category, Coupon, CouponUse, Product, ProductType, Review
from shop.search import find_terms, match_terms
from shop.services import save_product


class AttributeInline(admin.TabularInline):
    """What can be said of the products of a type."""

    model = Attribute
    extra = 0


@admin.register(ProductType)
class ProductTypeAdmin(admin.ModelAdmin):
    """Product types with their attributes."""

    inlines = [AttributeInline]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    """Shelves, in the shop's order."""

    list_display = ["name", "slug", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """Products, found as visitors find them, or by SKU."""

    list_display = ["sku", "title", "byline", "category", "price", "is_active"]
    list_display_links = ["sku", "title"]
    list_filter = ["is_active", "category", "product_type"]
    list_select_related = ["category"]
    list_per_page = 50
    search_fields = ["sku"]
    search_help_text = "Words of title, byline or description, or a whole SKU"
    actions = ["take_off_sale", "put_on_sale"]
    readonly_fields = ["cover", "created_at"]
    fieldsets = [
        (None, {"fields": ["title", "byline", "description", "category", "is_active"]}),
        ("Price", {"fields": ["price_amount", "currency"]}),
        ("Kind", {"fields": ["product_type", "attributes"]}),
        ("Address", {"fields": ["sku", "slug", "cover", "created_at"]}),
    ]

    def get_readonly_fields(self, _request: HttpRequest, obj: Product | None = None) -> list[str]:
        """Once a product is there its SKU stays: orders and stock know it by that."""
        return [*self.readonly_fields, "sku"] if obj else self.readonly_fields

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        """Search as the shop does, so that staff see what visitors find."""
        terms = find_terms(text=search_term)
        if not terms:
            return queryset, False
        by_sku = queryset.filter(sku=search_term.strip().upper().replace("\0", ""))
        return queryset.filter(search_vector=match_terms(terms=terms)) | by_sku, False

    def has_delete_permission(self, _request: HttpRequest, _obj: Product | None = None) -> bool:
        """A product is taken off sale, not deleted: orders go on naming it."""
        return False

    def save_model(self, _request: HttpRequest, obj: Product, _form: Any, _change: bool) -> None:
        """Save it, and tell who waits for a lower price."""
        save_product(product=obj)

    @admin.display(description="price", ordering="price_amount")
    def price(self, product: Product) -> str:
        """Show the price as people write it."""
        return format_money(amount=product.price_amount, currency=product.currency)

    @admin.display
    def cover(self, product: Product) -> str:
        """Show the cover as it is drawn now; a product not yet saved has none."""
        if not product.sku:
            return ""
        address = cover_url(sku=product.sku, title=product.title, byline=product.byline)
        return format_html('<img src="{}" alt="" width="160" height="240">', address)

    @admin.action(description="Take off sale")
    def take_off_sale(self, _request: HttpRequest, products: QuerySet[Product]) -> None:
        """Keep the products and their pages, but sell them no more."""
        products.update(is_active=False)

    @admin.action(description="Put on sale")
    def put_on_sale(self, _request: HttpRequest, products: QuerySet[Product]) -> None:
        """Sell the products again."""
        products.update(is_active=True)


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    """What readers wrote, what waits for a look first."""

    list_display = ["product", "stars", "signature", "beginning", "status", "written_at"]
    list_filter = ["status", "stars"]
    list_select_related = ["product"]
    list_per_page = 50
    search_fields = ["product__title", "product__sku", "signature", "text"]
    ordering = ["status", "-written_at"]  # "pending" comes first in the alphabet
    actions = ["publish", "refuse"]
    fields = ["product", "stars", "signature", "text", "status", "written_at"]
    readonly_fields = ["product", "stars", "signature", "text", "written_at"]

    @admin.display(description="review")
    def beginning(self, review: Review) -> str:
        """Show how it begins."""
        return Truncator(review.text).chars(80)

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, reviews: QuerySet[Review]) -> None:
        """Show the reviews to visitors."""
        done = reviews.update(status=Review.Status.PUBLISHED)
        messages.success(request, f"Published {done}.")

    @admin.action(description="Refuse", permissions=["change"])
    def refuse(self, request: HttpRequest, reviews: QuerySet[Review]) -> None:
        """Keep the reviews from visitors."""
        done = reviews.update(status=Review.Status.REFUSED)
        messages.success(request, f"Refused {done}.")


class CouponUseInline(admin.TabularInline):
    """The orders that were placed with it."""

    model = CouponUse
    extra = 0
    can_delete = False
    fields = readonly_fields = ("order_id", "email", "used_at", "given_back_at")

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Only an order uses a coupon."""
        return False


@admin.register(Coupon)
class CouponAdmin(admin.ModelAdmin):
    """Coupons, and how often they were used."""

    list_display = [
        "code",
        "percent",
        "amount",
        "minimum_subtotal",
        "uses",
        "most_uses",
        "starts_at",
        "ends_at",
    ]
    search_fields = ["code"]
    readonly_fields = ["uses"]
    inlines = [CouponUseInline]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new coupon is good from now on, unless staff say otherwise."""
        return {"starts_at": timezone.now(), **super().get_changeform_initial_data(request)}
