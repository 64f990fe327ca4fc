"""One door for everything: sockets go to Channels, the rest to the WSGI application in threads that live on.

Pages never go through Django's own ASGI handler, which is several times slower (docs/decisions/0008).
"""

import os
from http import HTTPStatus

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.urls import re_path
from twisted.web.http import RESPONSES

from config.wsgi import application as pages
from notifications.routing import websocket_urlpatterns as bell
from orders.routing import websocket_urlpatterns as order_pages

_THREADS = 16

# Daphne writes Twisted's words into the status line, and Twisted has none for 422, 429 and other codes of this century.
for _status in HTTPStatus:
    RESPONSES.setdefault(_status.value, _status.phrase.encode())

# An address without a socket is refused; without this, Channels raises and the log fills with what strangers try.
_sockets = URLRouter([*order_pages, *bell, re_path("", WebsocketDenier.as_asgi())])

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(pages, workers=_THREADS),  # type: ignore[arg-type]  # an HttpResponse is iterable
        "websocket": AllowedHostsOriginValidator(_sockets),
    }
)
