"""`manage.py why_stuck WB-2ABC-DEFG`: what an order waits for, and what holds it up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.selectors import OrderNotFound
from orders.standing import standing_of


class Command(BaseCommand):
    help = "Say why an order is where it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="the order's number")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self.stdout.write(standing_of(number=options["number"]))
        except OrderNotFound as error:
            raise CommandError(str(error)) from error
