"""What the API takes and gives. Amounts are integers in minor units of an ISO 4217 currency."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shop.cart import MOST_OF_ONE
from shop.countries import DELIVERY_COUNTRIES
from shop.shipping import STANDARD, Method
from shop.stock import StockState

MOST_LINES = 50

# Each pattern ends in \Z, for "$" also matches before a last line break; the document says it in JSON Schema's way.
_ONE_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*"
_ONE_LINE_OR_EMPTY = r"^[^\x00-\x1f\x7f]*"
_COUNTRIES = [code for code, _ in DELIVERY_COUNTRIES]


def _pattern(start: str, *, most: int, says: str) -> Meta:
    return Meta(
        pattern=rf"{start}\Z", max_length=most, description=says, extra_json_schema={"pattern": f"{start}$"}
    )


Text100 = Annotated[
    str, _pattern(_ONE_LINE, most=100, says="One line of text, not blank, of at most 100 characters.")
]
Text80 = Annotated[
    str, _pattern(_ONE_LINE, most=80, says="One line of text, not blank, of at most 80 characters.")
]
OptionalText100 = Annotated[
    str, _pattern(_ONE_LINE_OR_EMPTY, most=100, says="One line of text of at most 100 characters.")
]
PostalCode = Annotated[
    str, _pattern(_ONE_LINE, most=12, says="One line of text, not blank, of at most 12 characters.")
]
Country = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{'|'.join(_COUNTRIES)})\Z",
        description=f"ISO 3166-1 alpha-2 code of a country we deliver to: {', '.join(_COUNTRIES)}.",
        extra_json_schema={"pattern": "^[A-Z]{2}$", "enum": _COUNTRIES},
    ),
]
Email = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+\Z",
        max_length=254,
        description="An email address like name@example.com.",
        examples=["ada@example.com"],
        extra_json_schema={"pattern": r"^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+$", "format": "email"},
    ),
]
Sku = Annotated[
    str, _pattern("^[A-Z0-9][A-Z0-9-]*", most=40, says="The SKU of a product, as `GET /products/` tells it.")
]
PaymentMethodId = Annotated[
    str,
    _pattern("^pm_[A-Za-z0-9_-]+", most=100, says="The id of a payment method, for example `pm_card_visa`."),
]
CardNumber = Annotated[
    str, _pattern("^[0-9]{12,19}", most=19, says="The 12 to 19 digits of a card number, without spaces.")
]
Cvc = Annotated[str, _pattern("^[0-9]{3,4}", most=4, says="The three or four digits of the security code.")]
Status = Annotated[
    str,
    Meta(
        extra_json_schema={
            "enum": [
                *("placed", "reserved", "action_required", "payment_declined", "confirmed"),
                *("shipped", "completed", "rejected", "cancelled"),
            ]
        }
    ),
]
PaymentStatus = Annotated[
    str,
    Meta(extra_json_schema={"enum": ["pending", "action_required", "captured", "declined", "refunded"]}),
]


ShippingMethod = Annotated[
    Method, Meta(description="How the parcel travels; its price hangs on the country and the goods.")
]


CouponCode = Annotated[
    str,
    Meta(max_length=40, description="A coupon's code; empty for none. A code that does not hold is refused."),
]


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What callers send; a field nobody knows is refused, for it is likely a slip."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What callers get."""


class WantedLine(Taken, frozen=True, kw_only=True):
    """So many pieces of one product; its price is the shop's to say."""

    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=MOST_OF_ONE)]


class ShipTo(Taken, frozen=True, kw_only=True):
    """Where the parcel goes."""

    name: Text100
    line1: Text100
    line2: OptionalText100 = ""
    city: Text80
    postal_code: PostalCode
    country: Country


class OrderRequest(Taken, frozen=True, kw_only=True):
    """An order to place. Each SKU stands in one line."""

    lines: Annotated[list[WantedLine], Meta(min_length=1, max_length=MOST_LINES)]
    email: Email
    ship_to: ShipTo
    payment_method: PaymentMethodId
    shipping_method: ShippingMethod = STANDARD
    coupon: CouponCode = ""


class CardRequest(Taken, frozen=True, kw_only=True):
    """A card to turn into a payment method; number and code are not kept."""

    number: CardNumber
    expiry_month: Annotated[int, Meta(ge=1, le=12)]
    expiry_year: Annotated[int, Meta(ge=2000, le=2199, description="Four digits.")]
    cvc: Cvc


class PayRequest(Taken, frozen=True, kw_only=True):
    """Another payment method for a declined order."""

    payment_method: PaymentMethodId


class Money(Given, frozen=True, kw_only=True):
    """An amount in minor units (cents) and its currency."""

    amount: int
    currency: Annotated[str, Meta(description="ISO 4217 code.", examples=["EUR"])]


class ProductItem(Given, frozen=True, kw_only=True):
    """A product as a list shows it."""

    sku: str
    slug: str
    title: str
    price: Money
    stock: StockState
    image: Annotated[str, Meta(description="The address of its picture, an SVG.")]
    attributes: Annotated[dict[str, Any], Meta(description="What its product type defines, by key.")]


class ProductEntry(ProductItem, frozen=True, kw_only=True):
    """A product with all that is told of it."""

    byline: Annotated[str, Meta(description="Author, artist or brand; may be empty.")]
    category: Annotated[str, Meta(description="The slug of its category.")]
    description: str


class ProductList(Given, frozen=True, kw_only=True):
    """A stretch of a listing; `next` and `previous` are the addresses of its neighbours."""

    next: str | None
    previous: str | None
    results: list[ProductItem]


class PaymentMethod(Given, frozen=True, kw_only=True):
    """A token that stands for a card."""

    id: str
    brand: str
    last4: str


class OrderLinks(Given, frozen=True, kw_only=True):
    """Where an order can be read (`self`, `timeline`), seen (`page`) and watched (`live`, a WebSocket)."""

    self_: str = msgspec.field(name="self")
    timeline: str
    page: str
    live: str
    approve: (
        Annotated[str, Meta(description="While `action_required`: where the buyer approves the payment.")]
        | UnsetType
    ) = UNSET


class AcceptedOrder(Given, frozen=True, kw_only=True):
    """An order that is on its way through the shop. Whoever holds the token may read it."""

    number: Annotated[str, Meta(examples=["WB-7K3M-9QXD"])]
    token: str
    status: Status
    total: Money
    links: OrderLinks


class OrderedLine(Given, frozen=True, kw_only=True):
    """A line of an order, at the price of the moment of purchase."""

    sku: str
    title: str
    quantity: int
    unit_price: Money
    total: Money


class Payment(Given, frozen=True, kw_only=True):
    """The card, and what became of the charge."""

    brand: str
    last4: str
    status: PaymentStatus


class Shipment(Given, frozen=True, kw_only=True):
    """Where the parcel is."""

    carrier: str
    tracking_number: str
    estimated_delivery_on: date | None


class TimelineItem(Given, frozen=True, kw_only=True):
    """One step of the order's story; `sequence` counts from 1 without gaps."""

    sequence: int
    type: str
    at: datetime
    text: str


class ShippingAddress(Given, frozen=True, kw_only=True):
    """Where the parcel goes."""

    name: str
    line1: str
    line2: str
    city: str
    postal_code: str
    country: str


class Costs(Given, frozen=True, kw_only=True):
    """How the total comes about: subtotal - discount + shipping; the tax is part of it."""

    subtotal: Money
    coupon: Annotated[str, Meta(description="The code that took the discount off; empty without one.")]
    discount: Money
    shipping_method: str
    shipping: Money
    tax: Money
    tax_rate: Annotated[int, Meta(description="Basis points: 700 is 7 %.")]


class OrderEntry(AcceptedOrder, frozen=True, kw_only=True):
    """An order and how far it has come; `reason` says why it ended, where it ended early."""

    reason: str | UnsetType = UNSET
    sequence: Annotated[int, Meta(description="The number of its latest timeline entry.")]
    lines: list[OrderedLine]
    costs: Costs
    ship_to: ShippingAddress
    payment: Payment | None
    shipment: Shipment | None
    timeline: list[TimelineItem]


class Timeline(Given, frozen=True, kw_only=True):
    """The entries after the one asked for, and where the order stands."""

    status: Status
    sequence: Annotated[int, Meta(description="The number of the order's latest entry.")]
    timeline: list[TimelineItem]
