"""manage.py load_demo"""

from typing import Any

from django.core.management.base import BaseCommand

from shop.catalogue.reading import DEMO_CATALOGUE, read_catalogue
from shop.services import load_catalogue, load_demo_coupons


class Command(BaseCommand):
    """Fills an empty shop."""

    help = "Put Foxglove Books, the demo catalogue, into the shop; what is there already stays as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Load the demo catalogue."""
        added = load_catalogue(catalogue=read_catalogue(path=DEMO_CATALOGUE))
        load_demo_coupons()
        self.stdout.write(
            f"{added} products of the demo catalogue put in." if added else "Nothing was missing."
        )
