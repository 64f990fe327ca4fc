"""Staff read the figures and cannot change them."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from analytics.models import HourlyFigure

pytestmark = pytest.mark.django_db


def test_figures_are_read_and_not_changed(admin_client: Client) -> None:
    row = HourlyFigure.objects.create(hour=datetime.now(UTC), figure="placed", currency="", value=7)
    assert (
        "Orders placed"
        in admin_client.get(reverse("admin:analytics_hourlyfigure_changelist")).content.decode()
    )

    page = reverse("admin:analytics_hourlyfigure_change", args=[row.pk])
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"value": 8}).status_code == 403
    assert admin_client.get(reverse("admin:analytics_hourlyfigure_add")).status_code == 403
    assert admin_client.get(reverse("admin:analytics_productfigures_changelist")).status_code == 200
