"""Buyers who go on while things break."""

from typing import Any
from uuid import uuid4

import httpx

from tests.running_shop import RunningShop
from tests.waiting import eventually

PATIENCE_SECONDS = 60


def place_stubbornly(shop: RunningShop, **options: Any) -> str:
    """Place an order, again with the same key until it is accepted; return its token."""
    key = str(uuid4())

    def accepted() -> str:
        try:
            answer = shop.place(key=key, **options)
        except httpx.HTTPError:
            return ""
        return str(answer.json()["token"]) if answer.status_code == 202 else ""

    return eventually(accepted, seconds=PATIENCE_SECONDS, what="an order is accepted")
