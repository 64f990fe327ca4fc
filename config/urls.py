"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from config import health

handler500 = "shop.views.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("shop.apis.urls")),
    path("account/", include("accounts.urls")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("language/", set_language, name="set_language"),
    path("", include("shop.urls")),
    path("", include("orders.urls")),
]
