"""Parcels in the back office: found, and read as they will leave."""

import pytest
from django.test import Client
from uuid_utils.compat import uuid7

from events.orders import OrderConfirmed
from events.values import Address, Line
from shipments.handlers import worker
from shipments.models import Parcel
from workers.testing import deliver

pytestmark = pytest.mark.django_db

LIST = "/admin/shipments/parcel/"
NUMBER = "WB-7K3M-9QXD"


@pytest.fixture
def parcel() -> Parcel:
    ada = Address(name="<b>Ada</b>", line1="1 Hill", city="London", postal_code="SW1", country="GB")
    line = Line(sku="EMMA", title="Emma", quantity=2, unit_price=1240)
    order = OrderConfirmed(
        order_id=uuid7(), number=NUMBER, lines=(line,), total=2480, currency="EUR", ship_to=ada
    )
    deliver(worker, order)
    return Parcel.objects.get()


def text(client: Client, address: str, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def test_a_parcel_is_found_by_the_number_and_the_id_of_its_order(
    admin_client: Client, parcel: Parcel
) -> None:
    assert NUMBER in text(admin_client, LIST, q=NUMBER.lower())
    assert NUMBER in text(admin_client, LIST, order_id=str(parcel.order_id))
    assert NUMBER not in text(admin_client, LIST, order_id=str(uuid7()))


def test_a_parcel_shows_what_is_in_it_and_where_it_goes(admin_client: Client, parcel: Parcel) -> None:
    page = text(admin_client, f"{LIST}{parcel.pk}/change/")

    for shown in ("2 of Emma", "SW1 London", "&lt;b&gt;Ada&lt;/b&gt;", "Waiting to be packed"):
        assert shown in page


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_a_parcel_by_hand(admin_client: Client, parcel: Parcel, page: str) -> None:
    assert admin_client.get(LIST + page.format(parcel.pk)).status_code == 403
