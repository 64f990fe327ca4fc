"""The figures as staff see them."""

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import HourlyFigure, ProductFigures


class FiguresAdmin(admin.ModelAdmin):
    """Figures are counted, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False


@admin.register(HourlyFigure)
class HourlyFigureAdmin(FiguresAdmin):
    list_display = ["hour", "figure", "currency", "value"]
    list_filter = ["figure", "hour"]
    date_hierarchy = "hour"
    ordering = ["-hour", "figure"]


@admin.register(ProductFigures)
class ProductFiguresAdmin(FiguresAdmin):
    list_display = ["title", "sku", "ordered", "sold", "revenue", "currency"]
    search_fields = ["title", "sku"]
    ordering = ["-sold", "sku"]
