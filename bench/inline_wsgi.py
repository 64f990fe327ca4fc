"""The shop as one request that does everything, for `bench flow`."""

import django
from django.conf import settings

django.setup()
settings.ROOT_URLCONF = "bench.inline"

from config.wsgi import application  # noqa: E402

__all__ = ["application"]
