"""The pages, the API and the admin: plain synchronous Django."""

import os

from django.core.wsgi import get_wsgi_application

from workers.collector import spare_collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
spare_collector()
