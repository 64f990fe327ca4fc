"""Stock as staff see it: how much is left, who changed it, and what is held for orders."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from events.admin_pages import ReadOnlyAdmin, ReadOnlyInline
from inventory.models import Reservation, ReservationLine, StockAdjustment, StockItem
from inventory.services import adjust_stock, open_stock

LOW = 5


class LevelFilter(admin.SimpleListFilter):
    """Products that need staff's attention."""

    title = "level"
    parameter_name = "level"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Offer the two levels that matter."""
        return [("low", f"Low ({LOW} or fewer)"), ("sold_out", "Sold out")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[StockItem]) -> QuerySet[StockItem]:
        """Keep the products of that level."""
        match self.value():
            case "low":
                return queryset.filter(available__range=(1, LOW))
            case "sold_out":
                return queryset.filter(available=0)
        return queryset


class OpenStockForm(forms.ModelForm):
    """A product that had no stock yet."""

    quantity = forms.IntegerField(min_value=0, label="Pieces", help_text="How many there are to begin with.")

    class Meta:
        model = StockItem
        fields = ("sku",)


class AdjustStockForm(forms.ModelForm):
    """Pieces that come in, or go out."""

    quantity = forms.IntegerField(label="Adjust by", help_text="5 puts five pieces in, -5 takes five out.")
    note = forms.CharField(max_length=200, help_text="Why: a delivery, a damaged book, a count.")

    class Meta:
        model = StockItem
        fields = ()

    def clean_quantity(self) -> int:
        """Refuse an adjustment that changes nothing, or takes out more than is for sale."""
        quantity: int = self.cleaned_data["quantity"]
        # Locked, so that no order takes a piece between this check and the change.
        available = StockItem.objects.select_for_update(no_key=True).get(pk=self.instance.pk).available
        if quantity == 0:
            raise forms.ValidationError("Zero changes nothing.")
        if available + quantity < 0:
            raise forms.ValidationError(f"Only {available} are for sale; take out fewer.")
        return quantity


class AdjustmentInline(ReadOnlyInline):
    """What was put in and taken out before."""

    model = StockAdjustment
    verbose_name_plural = "Adjustments"
    fields = readonly_fields = ("quantity", "note", "adjusted_by", "adjusted_at")


@admin.register(StockItem)
class StockItemAdmin(admin.ModelAdmin):
    """Stock, to look at and to adjust."""

    list_display = ("sku", "available")
    list_filter = (LevelFilter,)
    search_fields = ("sku",)
    search_help_text = "Search by SKU."
    ordering = ("sku",)
    show_full_result_count = False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        """Open a new product's stock, or adjust that of one that is there."""
        kwargs["form"] = AdjustStockForm if change else OpenStockForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, _request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show the level beside the adjustment."""
        return ("available", "quantity", "note") if obj else ("sku", "quantity")

    def get_readonly_fields(self, _request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The level changes by adjustments alone."""
        return ("available",) if obj else ()

    def get_inlines(
        self, _request: HttpRequest, obj: Any = None
    ) -> list[type[admin.options.InlineModelAdmin]]:
        """A new product has no adjustments to show."""
        return [AdjustmentInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the stock as any other part of the shop would."""
        by = request.user.get_username()
        quantity = form.cleaned_data["quantity"]
        if change:
            adjust_stock(sku=obj.sku, quantity=quantity, note=form.cleaned_data["note"], by=by)
        else:
            open_stock(quantities={obj.sku: quantity}, by=by)

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Stock that has a history stays."""
        return False


class LineInline(ReadOnlyInline):
    """The pieces of a reservation."""

    model = ReservationLine
    fields = readonly_fields = ("stock_item", "title", "quantity")


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """What is held for orders, newest first."""

    list_display = ("order_id", "status", "hold_expires_at", "created_at", "released_at")
    list_filter = ("status", "created_at")
    search_fields = ("order_id__exact",)
    search_help_text = "Search by order id."
    ordering = ("-created_at",)
    inlines = (LineInline,)
