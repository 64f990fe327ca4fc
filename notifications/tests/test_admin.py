"""What staff see of the mails."""

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.urls import reverse

from notifications.handlers import worker
from notifications.models import Email
from notifications.tests import facts
from workers.testing import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("staff", password="a long password"))
    return client


def page(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def mine(mailbox):
    order = facts.placed(number="WB-2345-6789", title="<b>Emma</b>")
    deliver(worker, order, facts.placed(number="WB-9999-9999"))
    return order


@pytest.mark.parametrize("search", ["number", "order_id"])
def test_mails_are_found_by_their_order(staff, mine, search):
    listed = page(
        staff.get(reverse("admin:notifications_email_changelist"), {"q": str(getattr(mine, search))})
    )
    assert "We have your order WB-2345-6789" in listed
    assert "WB-9999-9999" not in listed


def test_mails_are_found_by_their_address(staff, mine):
    address = reverse("admin:notifications_email_changelist")
    assert "2 e-mails" in page(staff.get(address, {"q": "ADA@example.org"}))
    assert "0 e-mails" in page(staff.get(address, {"q": "grace@example.org"}))


def test_staff_read_what_was_written_as_inert_text_and_cannot_change_it(staff, mine):
    email = Email.objects.get(order_id=mine.order_id)
    detail = page(staff.get(reverse("admin:notifications_email_change", args=[email.id])))
    assert "&lt;b&gt;Emma&lt;/b&gt;" in detail
    assert "<b>Emma</b>" not in detail
    assert 'name="_save"' not in detail
