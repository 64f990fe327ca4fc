"""The orders worker is the saga."""

from orders.saga import worker

__all__ = ["worker"]
