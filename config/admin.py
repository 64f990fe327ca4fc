"""The back office: Django's admin site, its pages in the order in which staff need them."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

# Sections from top to bottom, with the apps in each.
_SECTIONS = {
    "Orders": ("orders", "payments", "shipments", "notifications"),
    "Catalogue and stock": ("shop", "inventory"),
    "Event runtime": ("workers", "events"),
    "Figures": ("analytics",),
    "People": ("accounts", "auth"),
}


class BackOffice(AdminSite):
    """The one admin site; `config.apps.BackOfficeConfig` makes it `django.contrib.admin.site`."""

    site_header = "Foxglove Books · back office"
    site_title = "Foxglove Books back office"
    index_title = "Back office"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the sections of the front page and the sidebar, or the one app of an app's page."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        apps = {app["app_label"]: app for app in super().get_app_list(request)}
        sections = [
            _section(name=name, apps=[apps.pop(one) for one in labels if one in apps])
            for name, labels in _SECTIONS.items()
        ]
        # An app that no section names stands at the end under its own name.
        return [section for section in [*sections, *apps.values()] if section["models"]]


def _section(*, name: str, apps: list[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": name.lower().replace(" ", "-"),
        "app_url": "",
        "has_module_perms": True,
        "models": [model for app in apps for model in app["models"]],
    }
