"""The figures as staff see them."""

from django.contrib import admin

from analytics.models import HourlyFigure, ProductFigures
from events.admin_pages import ReadOnlyAdmin


@admin.register(HourlyFigure)
class HourlyFigureAdmin(ReadOnlyAdmin):
    list_display = ["hour", "figure", "currency", "value"]
    list_filter = ["figure", "hour"]
    date_hierarchy = "hour"
    ordering = ["-hour", "figure"]


@admin.register(ProductFigures)
class ProductFiguresAdmin(ReadOnlyAdmin):
    list_display = ["title", "sku", "ordered", "sold", "revenue", "currency"]
    search_fields = ["title", "sku"]
    ordering = ["-sold", "sku"]
