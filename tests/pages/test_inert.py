"""Markup in what others write is text everywhere: product, review, address, event, failure."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaProducer
from playwright.sync_api import Page, expect

from tests.running_shop import RunningShop
from tests.test_browser import fill_card
from tests.waiting import eventually

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
_FAIL_WITH = (
    "from workers.models import DeadLetter; DeadLetter.objects.filter(key={key!r}).update("
    "exception_type={trap!r}, exception_message={trap!r}, stacktrace={trap!r})"
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
    expect(page.locator("body"), "it is shown").to_contain_text(TRAP, use_inner_text=True)
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
    token = shop.placed(lines=[{"sku": SKU, "quantity": 1}])
    number = shop.wait_for(token, "completed")["number"]
    sign_in_as_staff(page, shop=shop)

    page.goto(f"/admin/orders/order/?q={number}")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_url("**/change/**")
    require_inert(page)
    page.goto(f"/admin/notifications/email/?kind__exact=placed&q={number}")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_url("**/change/**")
    require_inert(page)


def test_in_the_dead_letters(page: Page, shop: RunningShop) -> None:
    letter = dead_letter(shop)
    sign_in_as_staff(page, shop=shop)

    page.goto("/admin/workers/deadletter/")
    require_inert(page)
    page.goto(f"/admin/workers/deadletter/{letter}/change/")
    page.locator("summary").evaluate_all("all => all.forEach(one => one.parentElement.open = true)")
    assert page.locator("main, #content").first.inner_text().count(TRAP) >= 4
    require_inert(page)
    page.get_by_role("link", name="Retry with another payload").click()
    assert TRAP in page.get_by_label("Payload").input_value()
    assert page.locator("img[src='x']").count() == 0
    page.goto("/admin/workers/deadletter/groups/")
    require_inert(page)


def dead_letter(shop: RunningShop) -> int:
    """Return the id of a dead letter whose payload and whose error hold markup."""
    key = f"trapped-{uuid4()}".encode()
    producer = KafkaProducer(bootstrap_servers=shop.environment["KAFKA_BOOTSTRAP_SERVERS"])
    producer.send("orders", key=key, value=TRAP.encode(), headers=[("ce_type", b"orders.order_placed.v1")])
    producer.flush(timeout=30)
    producer.close()
    found = eventually(
        lambda: shop.query("SELECT id FROM workers_deadletter WHERE key = %s", [key]), what="a dead letter"
    )
    shop.manage("shell", "-c", _FAIL_WITH.format(key=key, trap=TRAP))
    return int(found[0][0])


def sign_in_as_staff(page: Page, *, shop: RunningShop) -> None:
    name = f"staff-{uuid4().hex[:8]}"
    password = shop.manage("create_staff", "--username", name).split()[-1]
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
