from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Outbox"

    def ready(self) -> None:
        from events import catalogue  # noqa: F401  (importing declares every event)
