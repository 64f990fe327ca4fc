from channels.auth import AuthMiddlewareStack
from django.urls import path

from notifications.consumers import NoticeConsumer

websocket_urlpatterns = [path("ws/notifications/", AuthMiddlewareStack(NoticeConsumer.as_asgi()))]
