"""What delivery costs, and the tax within."""

import pytest

from shop.countries import DELIVERY_COUNTRIES
from shop.shipping import shipping_offers, shipping_price
from shop.sums import reckon
from shop.taxes import included_tax, tax_rate


@pytest.mark.parametrize(("country", "price"), [("DE", 290), ("FR", 590), ("CH", 990)])
def test_a_parcel_costs_by_how_far_it_goes(country: str, price: int) -> None:
    assert shipping_price(method="standard", country=country, subtotal=1490) == price


def test_from_its_threshold_on_standard_delivery_is_free_and_express_never() -> None:
    assert shipping_price(method="standard", country="DE", subtotal=2899) == 290
    assert shipping_price(method="standard", country="DE", subtotal=2900) == 0
    assert shipping_price(method="express", country="DE", subtotal=2900) == 690


@pytest.mark.parametrize("country", [code for code, _ in DELIVERY_COUNTRIES])
def test_every_country_we_deliver_to_has_its_offers_and_its_rate(country: str) -> None:
    assert [offer.method for offer in shipping_offers(country=country, subtotal=1000)] == [
        "standard",
        "express",
    ]
    assert 0 <= tax_rate(country=country) <= 2700


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [
        (107, 700, 7),
        (2980, 700, 195),  # 194.95
        (2980, 550, 155),  # 155.36
        (3, 2000, 1),  # 0.5, the half cent that goes up
        (2980, 0, 0),
    ],
)
def test_the_tax_within_a_price_is_rounded_to_the_nearest_cent_half_a_cent_up(
    gross: int, rate: int, tax: int
) -> None:
    assert included_tax(gross=gross, rate=rate) == tax


def test_delivery_is_taxed_with_the_goods_and_a_coupon_lowers_both() -> None:
    charges = reckon(subtotal=2000, country="DE", method="standard", coupon="WELCOME5", discount=500)

    assert (charges.shipping, charges.tax) == (290, included_tax(gross=1790, rate=700))
