"""`manage.py status`: how everything stands, on one screen."""

import logging
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from workers.standing import Standing, problems, read_standing


class Command(BaseCommand):
    help = "Show lag, members, outbox, parked events and dead letters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--check", action="store_true", help="end with exit code 1 if something needs attention"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        # What kafka-python has to say of a broker that does not answer stands in the table.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        try:
            standing = read_standing()
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        self.stdout.write(
            msgspec.json.encode(standing).decode() if options["json"] else _table(standing=standing)
        )
        found = problems(standing=standing)
        if options["check"] and found:
            raise CommandError(f"Needs attention: {len(found)}.")


def _table(*, standing: Standing) -> str:
    outbox = standing.outbox
    oldest = _seconds(outbox.oldest_age_seconds)
    lines = [
        f"Outbox   {outbox.pending} pending, the oldest for {oldest}, {outbox.blocked} blocked",
        f"Kafka    {standing.kafka_is_away or 'answers'}",
        "",
        f"{'Worker':<16}{'members':>8}{'lag':>9}{'behind':>10}{'parked':>8}{'oldest':>10}{'dead':>7}{'causes':>8}",
    ]
    for one in standing.workers:
        lines.append(
            f"{one.name:<16}{_known(one.members):>8}{_known(one.lag_records):>9}{_seconds(one.lag_seconds):>10}"
            f"{one.parked.events:>8}{_seconds(one.parked.oldest_age_seconds):>10}{one.dead.open:>7}{one.dead.causes:>8}"
        )
    return "\n".join([*lines, "", *(problems(standing=standing) or ["All is well."])])


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.1f} s"
