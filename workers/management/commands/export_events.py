"""`manage.py export_events`: publish schemas, write the documents made from declarations."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from events.schemas import IncompatibleChange, publish_schemas
from workers.catalogue_docs import asyncapi_document, events_table
from workers.checks import TAG


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Write events/published/*.json, docs/asyncapi.json and docs/events.md from the declarations."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            written = publish_schemas()
        except IncompatibleChange as error:
            raise CommandError(str(error)) from error
        docs = Path(settings.BASE_DIR) / "docs"
        (docs / "asyncapi.json").write_text(json.dumps(asyncapi_document(), indent=2) + "\n")
        (docs / "events.md").write_text(events_table())
        self.stdout.write(f"{len(written)} schemas published; docs/asyncapi.json and docs/events.md written.")
