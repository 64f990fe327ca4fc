"""Stock as the shop and staff handle it."""

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.urls import reverse
from uuid_utils.compat import uuid7

from events.orders import ReturnReceived
from events.stock import StockArrived
from events.values import Line
from inventory.handlers import worker
from inventory.models import StockAdjustment
from inventory.selectors import stock_levels
from inventory.services import NotEnoughStock, UnknownSku, adjust_stock, open_stock
from inventory.tests.orders import assert_books_balance, placed
from workers.testing import deliver, deliver_records, published, record_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("grace", password="a long password"))
    return client


def page(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def change_address(sku: str) -> str:
    return reverse("admin:inventory_stockitem_change", args=[sku])


def adjustment(*, quantity: int, note: str) -> dict[str, object]:
    """Return what the browser sends: the form, and the count of its table of adjustments."""
    table = {"adjustments-TOTAL_FORMS": 0, "adjustments-INITIAL_FORMS": 0}
    return {"quantity": quantity, "note": note, **table}


def test_opening_stock_leaves_what_is_there_alone():
    open_stock(quantities={"EMMA": 5})
    open_stock(quantities={"EMMA": 99, "DUNE": 7})
    assert stock_levels(skus=["EMMA", "DUNE"]) == {"EMMA": 5, "DUNE": 7}
    assert_books_balance()


def test_opening_any_number_of_products_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        open_stock(quantities={f"BOOK-{number}": number for number in range(500)})


def test_nothing_is_known_of_a_sku_that_was_never_stocked():
    open_stock(quantities={"EMMA": 5})
    assert stock_levels(skus=["EMMA", "GHOST"]) == {"EMMA": 5}


def test_an_adjustment_changes_the_level_and_says_who_and_why():
    open_stock(quantities={"EMMA": 5})
    adjust_stock(sku="EMMA", quantity=-2, note="water damage", by="grace")
    written = StockAdjustment.objects.filter(quantity=-2).values("note", "adjusted_by").get()
    assert written == {"note": "water damage", "adjusted_by": "grace"}
    assert stock_levels(skus=["EMMA"]) == {"EMMA": 3}
    assert_books_balance()


def test_no_more_can_be_taken_out_than_is_for_sale():
    open_stock(quantities={"EMMA": 5})
    deliver(worker, placed(("EMMA", 4)))
    with pytest.raises(NotEnoughStock, match="Only 1 of EMMA"):
        adjust_stock(sku="EMMA", quantity=-2, note="gone", by="grace")
    assert_books_balance()


def test_stock_that_was_never_opened_cannot_be_adjusted():
    with pytest.raises(UnknownSku, match="GHOST"):
        adjust_stock(sku="GHOST", quantity=1, note="found", by="grace")


def test_staff_see_what_runs_low_and_what_is_sold_out(staff):
    open_stock(quantities={"PLENTY": 50, "FEW": 2, "GONE": 0})
    low = page(staff.get(reverse("admin:inventory_stockitem_changelist"), {"level": "low"}))
    sold_out = page(staff.get(reverse("admin:inventory_stockitem_changelist"), {"level": "sold_out"}))
    assert [sku in low for sku in ("PLENTY", "FEW", "GONE")] == [False, True, False]
    assert [sku in sold_out for sku in ("PLENTY", "FEW", "GONE")] == [False, False, True]


def test_staff_adjust_stock_and_the_page_tells_the_story(staff):
    open_stock(quantities={"EMMA": 5})
    staff.post(change_address("EMMA"), adjustment(quantity=20, note="delivery 4711"))
    assert stock_levels(skus=["EMMA"]) == {"EMMA": 25}
    told = page(staff.get(change_address("EMMA")))
    assert "delivery 4711" in told
    assert "grace" in told


@pytest.mark.parametrize(
    ("quantity", "complaint"), [(-6, "Only 5 are for sale"), (0, "Zero changes nothing")]
)
def test_staff_are_told_why_an_adjustment_is_refused(staff, quantity, complaint):
    open_stock(quantities={"EMMA": 5})
    told = page(staff.post(change_address("EMMA"), adjustment(quantity=quantity, note="count")))
    assert complaint in told
    assert stock_levels(skus=["EMMA"]) == {"EMMA": 5}


def test_staff_stock_a_new_product(staff):
    staff.post(reverse("admin:inventory_stockitem_add"), {"sku": "NEW", "quantity": 12})
    assert stock_levels(skus=["NEW"]) == {"NEW": 12}
    assert_books_balance()


def test_staff_find_what_is_held_for_an_order_and_cannot_change_it(staff):
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    listed = page(staff.get(reverse("admin:inventory_reservation_changelist"), {"q": str(order.order_id)}))
    detail = page(staff.get(reverse("admin:inventory_reservation_change", args=[order.order_id])))
    assert "1 reservation" in listed
    assert "Book EMMA" in detail
    assert 'name="_save"' not in detail


def test_what_buyers_send_back_is_for_sale_again_once():
    open_stock(quantities={"EMMA": 0, "IDIOT": 3})
    line = Line(sku="EMMA", title="Emma", quantity=1, unit_price=900)
    told = ReturnReceived(order_id=uuid7(), number="WB-2345-6789", return_id=uuid7(), lines=(line, line))
    record = record_of(told)
    deliver_records(worker, [record])
    deliver_records(worker, [record])
    assert stock_levels(skus=["EMMA", "IDIOT"]) == {"EMMA": 2, "IDIOT": 3}
    adjustment = StockAdjustment.objects.get(stock_item="EMMA")
    assert (adjustment.quantity, adjustment.note) == (2, "Returned from order WB-2345-6789.")
    assert [event.sku for event in published(StockArrived)] == ["EMMA"]
    assert_books_balance()
