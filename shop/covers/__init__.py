"""Covers drawn by code: a product always gets the same one, and its SKU decides which."""

from shop.covers.addresses import cover_url, cover_version
from shop.covers.drawing import draw_cover

__all__ = ["cover_url", "cover_version", "draw_cover"]
