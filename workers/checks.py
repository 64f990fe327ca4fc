"""What `manage.py check` says about the declarations of workers."""

import importlib.util
from typing import Any

from django.core.checks import CheckMessage, Error, register

from workers.worker import all_workers

TAG = "workers"


@register(TAG)
def workers_handle_something(**_options: Any) -> list[CheckMessage]:
    """A worker without a handler would join a group to read nothing."""
    return [
        Error(
            f"Worker {worker.name!r} handles no event.",
            hint="Use @worker.on(…).",
            id="workers.E001",
        )
        for worker in all_workers()
        if not worker.handlers
    ]


@register(TAG)
def checksums_are_computed_in_c(**_options: Any) -> list[CheckMessage]:
    """Without the crc32c package kafka-python decodes record batches about twenty times slower."""
    if importlib.util.find_spec("crc32c"):
        return []
    return [Error("The crc32c package is missing.", hint="Install requirements/app.lock.", id="workers.E002")]
