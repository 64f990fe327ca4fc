from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkersConfig(AppConfig):
    name = "workers"
    verbose_name = "Event runtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from workers import checks  # noqa: F401  (importing registers them)

        autodiscover_modules("handlers")
