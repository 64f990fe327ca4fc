"""`manage.py run_worker payments`, `manage.py run_worker relay inventory`, `manage.py run_worker --all`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from prometheus_client import REGISTRY

from workers.checks import TAG
from workers.collector import spare_collector
from workers.consumer import ConsumerLoop
from workers.health import Pulse, serve_health, watch_over
from workers.readings import Readings
from workers.relay import Relay
from workers.stopping import Stop
from workers.supervisor import supervise
from workers.worker import UnknownWorker, all_workers, find_worker

RELAY = "relay"


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Run the relay or services' workers: one in the foreground, several as supervised processes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="a worker's name, or relay")
        parser.add_argument("--all", action="store_true", help="the relay and every worker")
        parser.add_argument(
            "--health-port",
            type=int,
            default=0,
            help="answer /livez, /readyz and /metrics here; the second process one port higher, and so on",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        names = self._names(options)
        port: int = options["health_port"]

        def run_child(name: str, place: int) -> None:
            run_one(name=name, health_port=port and port + place, stop=Stop(supervised=True))

        if len(names) == 1:
            run_one(name=names[0], health_port=port, stop=Stop())
        else:
            supervise(names=names, run=run_child)

    def _names(self, options: dict[str, Any]) -> list[str]:
        names: list[str] = options["names"]
        if options["all"]:
            return [RELAY, *(worker.name for worker in all_workers())]
        if not names:
            known = ", ".join([RELAY, *(worker.name for worker in all_workers())])
            raise CommandError(f"Name a worker, or pass --all. There are: {known}.")
        try:
            return [name if name == RELAY else find_worker(name=name).name for name in names]
        except UnknownWorker as error:
            raise CommandError(str(error)) from error


def run_one(*, name: str, health_port: int, stop: Stop) -> None:
    """Run the relay or one worker in this process until it is told to stop."""
    stop.on_signals()
    spare_collector()
    pulse = Pulse()
    watch_over(name=name, pulse=pulse)
    if health_port and name == RELAY:
        Readings().register(REGISTRY)
    if health_port:
        serve_health(name=name, pulse=pulse, port=health_port)
    if name == RELAY:
        Relay(stop=stop, pulse=pulse).run()
    else:
        ConsumerLoop(worker=find_worker(name=name), stop=stop, pulse=pulse).run()
