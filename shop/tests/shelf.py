"""Books for tests of the pages, put on the shelf through the shop's own doors."""

from inventory.services import adjust_stock, open_stock
from shop.models import Category, Product, ProductType
from shop.services import save_product


def put_on_shelf(*, sku: str, title: str = "Middlemarch", price: int = 1490, stock: int = 10) -> Product:
    """Sell a book of which `stock` pieces are there."""
    category, _ = Category.objects.get_or_create(slug="novels", name="Novels")
    product_type, _ = ProductType.objects.get_or_create(name="Book")
    open_stock(quantities={sku: stock})
    return Product.objects.create(
        sku=sku,
        slug=sku.lower(),
        title=title,
        byline="George Eliot",
        category=category,
        product_type=product_type,
        price_amount=price,
    )


def sell_elsewhere(*, sku: str, quantity: int) -> None:
    """Have other buyers take pieces off the shelf."""
    adjust_stock(sku=sku, quantity=-quantity, note="sold elsewhere", by="the test")


def change_price(*, sku: str, price: int) -> None:
    """Have staff change a price."""
    product = Product.objects.get(sku=sku)
    product.price_amount = price
    save_product(product=product)


def withdraw(*, sku: str) -> None:
    """Stop selling a book."""
    Product.objects.filter(sku=sku).update(is_active=False)
