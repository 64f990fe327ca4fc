"""`manage.py create_topics`: make every topic that the declared events need."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workers.checks import TAG
from workers.failures import DependencyDown
from workers.topics import KeptTooLong, create_topics


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Create the topics of all declared events and their dead letter topics, where they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--partitions", type=int, default=3)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            created = create_topics(partitions=options["partitions"])
        except DependencyDown as down:
            raise CommandError(f"{down} cannot be reached.") from down
        except KeptTooLong as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Created {', '.join(created)}." if created else "All topics are there.")
