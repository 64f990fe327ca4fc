"""What staff sees of payments."""

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.urls import reverse

from payments.handlers import worker
from payments.tests.conftest import refund_requested
from workers.testing import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("staff", password="a long password"))
    return client


@pytest.fixture
def refunded(bank, ask):
    request = ask()
    deliver(worker, request)
    deliver(worker, refund_requested(request))
    return request


def text(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_payments_are_found_by_the_order_s_number(staff, refunded):
    page = text(staff.get(reverse("admin:payments_payment_changelist"), {"q": refunded.number}))
    assert refunded.number in page
    assert "24.80 EUR" in page
    assert "1 payment" in page


def test_a_payment_is_found_by_the_order_s_id(staff, refunded):
    page = text(staff.get(reverse("admin:payments_payment_changelist"), {"q": str(refunded.order_id)}))
    assert refunded.number in page


def test_a_payment_is_shown_with_its_attempts_and_refunds_and_no_way_to_change_it(staff, refunded, bank):
    page = text(staff.get(reverse("admin:payments_payment_change", args=[refunded.order_id])))
    assert bank.charges(refunded)[0]["id"] in page
    assert bank.refunds(refunded)[0]["id"] in page
    assert 'name="_save"' not in page
    assert "Delete" not in page


@pytest.mark.parametrize("page", ["add", "delete"])
def test_nobody_adds_or_deletes_a_payment_by_hand(staff, refunded, page):
    arguments = [] if page == "add" else [refunded.order_id]
    assert staff.get(reverse(f"admin:payments_payment_{page}", args=arguments)).status_code == 403
