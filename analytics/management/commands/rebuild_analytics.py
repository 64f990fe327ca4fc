"""`manage.py rebuild_analytics`: count everything anew from the topics, while the shop runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.handlers import worker
from analytics.services import rebuild
from workers import DependencyDown


class Command(BaseCommand):
    help = "Rebuild the analytics from the topics; the shop and the worker may go on meanwhile."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            count = rebuild(worker=worker)
        except DependencyDown as down:
            raise CommandError(f"{down} cannot be reached.") from down
        self.stdout.write(f"Counted {count} events.")
