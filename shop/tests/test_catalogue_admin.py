"""The catalogue in the admin: found as visitors find it, taken off sale and never deleted."""

import pytest
from django.test import Client
from django.urls import reverse

from shop.models import Product
from shop.tests.shelf import put_on_shelf

pytestmark = pytest.mark.django_db

LIST = "/admin/shop/product/"


def change_page(product: Product) -> str:
    return reverse("admin:shop_product_change", args=[product.pk])


@pytest.mark.parametrize("typed", ["middlem", "FOX-1", "fox-1", "eliot"])
def test_staff_find_a_product_by_its_words_or_its_sku(admin_client: Client, typed: str) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="TEA-2", title="Emma")

    page = admin_client.get(LIST, {"q": typed}).content.decode()

    assert "Middlemarch" in page


def test_a_search_shows_only_what_matches(admin_client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="FOX-2", title="Emma")

    page = admin_client.get(LIST, {"q": "emma"}).content.decode()

    assert "Emma" in page
    assert "Middlemarch" not in page


def test_products_are_taken_off_sale_and_put_back(admin_client: Client) -> None:
    product = put_on_shelf(sku="FOX-1")

    for action, is_active in (("take_off_sale", False), ("put_on_sale", True)):
        admin_client.post(LIST, {"action": action, "_selected_action": [product.pk]})
        product.refresh_from_db()
        assert product.is_active is is_active


def test_a_product_cannot_be_deleted_nor_its_sku_changed(admin_client: Client) -> None:
    product = put_on_shelf(sku="FOX-1")

    page = admin_client.get(change_page(product)).content.decode()

    assert 'name="sku"' not in page
    assert "/covers/FOX-1.svg" in page
    assert admin_client.post(f"/admin/shop/product/{product.pk}/delete/").status_code == 403


def test_a_new_product_sent_empty_is_asked_for_what_is_missing(admin_client: Client) -> None:
    response = admin_client.post(f"{LIST}add/", {"attributes": "{}"})

    assert "This field is required" in response.content.decode()


def test_markup_in_a_title_is_shown_and_not_run(admin_client: Client) -> None:
    product = put_on_shelf(sku="FOX-1", title="<img src=x onerror=alert(1)>")

    assert "<img src=x" not in admin_client.get(LIST).content.decode()
    assert "<img src=x" not in admin_client.get(change_page(product)).content.decode()
