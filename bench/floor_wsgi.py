"""The floor's view as an application of its own: Django with nothing but a database."""

import os
import secrets

import dj_database_url
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(50),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="bench.floor",
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            **dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=None),
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
        }
    },
)
django.setup()

application = WSGIHandler()
