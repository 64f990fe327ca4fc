"""Markup in what others write is text everywhere: product, review, address, event, failure."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.running_shop import RunningShop
from tests.test_browser import fill_card

TRAP = '<img src=x onerror="window.owned=1">'
SKU = "FOX-TREASUREISLAND"
_SET = (
    "from shop.models import Product, Review; from django.utils import timezone;"
    "book = Product.objects.get(sku={sku!r}); trap = {trap!r};"
    "book.title, book.byline, book.description = 'Trapped ' + trap, trap, trap; book.save();"
    "Review.objects.get_or_create(product=book, buyer_id=0, defaults=dict(signature=trap, stars=5, text=trap,"
    " status='published', written_at=timezone.now()))"
)
_MEND = (
    "from shop.models import Product, Review; Review.objects.filter(buyer_id=0).delete();"
    "Product.objects.filter(sku={sku!r}).update(title={title!r}, byline={byline!r}, description={description!r})"
)


@pytest.fixture
def trapped(shop: RunningShop) -> Iterator[str]:
    """The slug of a book whose words, and whose review, hold markup."""
    [(slug, title, byline, description)] = shop.query(
        "SELECT slug, title, byline, description FROM shop_product WHERE sku = %s", [SKU]
    )
    shop.manage("shell", "-c", _SET.format(sku=SKU, trap=TRAP))
    yield str(slug)
    shop.manage("shell", "-c", _MEND.format(sku=SKU, title=title, byline=byline, description=description))


def require_inert(page: Page) -> None:
    assert TRAP in page.locator("body").inner_text(), f"{page.url} does not show it"
    assert page.locator("img[src='x']").count() == 0, page.url
    assert page.evaluate("window.owned") is None, page.url


def test_on_the_way_from_the_shelf_to_the_order(page: Page, trapped: str) -> None:
    page.goto("/?search=trapped")
    require_inert(page)
    page.goto(f"/products/{trapped}/")
    require_inert(page)
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("link", name="See the basket")).to_be_visible()
    require_inert(page)
    page.goto("/cart/")
    require_inert(page)

    page.goto("/checkout/")
    for label, text in {"Full name": TRAP, "Street and house number": TRAP, "Postal code": "12345"}.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("Town or city").fill(TRAP[:80])
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Continue to payment").click()
    fill_card(page, number="4242 4242 4242 4242")
    page.get_by_role("button", name="Continue to review").click()
    require_inert(page)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")
    expect(page.get_by_text("Delivered. Happy reading.").first).to_be_visible(timeout=60_000)
    require_inert(page)


def test_in_the_back_office(page: Page, shop: RunningShop, trapped: str) -> None:
    name = f"staff-{uuid4().hex[:8]}"
    password = shop.manage("create_staff", "--username", name).split()[-1]
    token = shop.placed(lines=[{"sku": SKU, "quantity": 1}])
    number = shop.wait_for(token, "completed")["number"]
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()

    page.goto(f"/admin/orders/order/?q={number}")
    page.locator("#result_list tbody a").first.click()
    require_inert(page)
    page.goto(f"/admin/notifications/email/?kind__exact=placed&q={number}")
    page.locator("#result_list tbody a").first.click()
    require_inert(page)
