"""Parcels as staff see them."""

import msgspec
from django.contrib import admin
from django.utils.safestring import SafeString

from events.admin_pages import ReadOnlyAdmin, shown_address, shown_lines, shown_state
from events.values import Address
from shipments.models import Parcel


@admin.register(Parcel)
class ParcelAdmin(ReadOnlyAdmin):
    """Parcels, newest first."""

    list_display = ["order_number", "state", "carrier", "tracking_number", "due_at", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["=order_number", "=tracking_number"]
    search_help_text = "Search by order number or tracking number."
    ordering = ["-created_at"]
    fieldsets = [
        (None, {"fields": ["state", "order_number", "order_id", "due_at"]}),
        ("Contents", {"fields": ["contents", "address"]}),
        ("On its way", {"fields": ["carrier", "tracking_number", "estimated_delivery_on"]}),
        ("Steps", {"fields": ["created_at", "packed_at", "dispatched_at", "delivered_at"]}),
    ]
    readonly_fields = ["state", "contents", "address"]

    @admin.display(description="Status", ordering="status")
    def state(self, parcel: Parcel) -> SafeString:
        """Show the status as a badge."""
        return shown_state(state=parcel.status, label=parcel.get_status_display())

    @admin.display(description="In the parcel")
    def contents(self, parcel: Parcel) -> SafeString:
        """Show what is in it, a line for each product."""
        return shown_lines(lines=[f"{line['quantity']} of {line['title']}" for line in parcel.lines])

    @admin.display(description="Ships to")
    def address(self, parcel: Parcel) -> SafeString:
        """Show the address as on a parcel."""
        return shown_address(address=msgspec.convert(parcel.ship_to, Address))
