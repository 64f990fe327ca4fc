"""Every event there is: importing this module declares them all."""

from events import inventory, notifications, orders, payments, products, shipments, stock, wishlists

__all__ = ["inventory", "notifications", "orders", "payments", "products", "shipments", "stock", "wishlists"]
