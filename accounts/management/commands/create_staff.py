"""`manage.py create_staff`: somebody who may sign in to the admin."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import StaffExists, create_staff


class Command(BaseCommand):
    """Creates a member of staff with every right, and prints the generated password, this once."""

    help = "Create a member of staff with a generated password, and print both."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user name, and whether somebody who is there gets a new password."""
        parser.add_argument("--username", default="staff")
        parser.add_argument("--reset", action="store_true", help="give a new password to one who is there")

    def handle(self, *, username: str, reset: bool, **_options: Any) -> None:
        """Print user name and password on one line."""
        try:
            password = create_staff(username=username, reset=reset)
        except StaffExists as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{username} {password}")
