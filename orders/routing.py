from django.urls import path

from orders.consumers import OrderConsumer

websocket_urlpatterns = [path("ws/orders/<str:token>/", OrderConsumer.as_asgi())]
