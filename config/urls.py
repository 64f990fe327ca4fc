"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("shop.apis.urls")),
    path("account/", include("accounts.urls")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("shop.urls")),
    path("", include("orders.urls")),
]
