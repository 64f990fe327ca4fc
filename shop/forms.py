"""What visitors fill in. Every message says what to do."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

from django import forms
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from events.values import Address
from shop.cart import MOST_OF_ONE
from shop.countries import delivery_countries
from shop.coupons import read_code
from shop.shipping import Method

# What the demo bank says of a card, in its own words.
_REFUSALS = (
    gettext_noop("Use one of the demo cards. Never enter a real card number here."),
    gettext_noop("The expiry date must be a month that has not passed yet."),
    gettext_noop("The security code is the three digits on the back of the card."),
)
_EXPIRY = re.compile(r"^\s*(?:(\d{1,2})\s*[/ .-]\s*|(\d{2}))(\d{2}|\d{4})\s*$")


class QuantityForm(forms.Form):
    """How many pieces; 0 takes a line out of the basket."""

    quantity = forms.IntegerField(min_value=0, max_value=MOST_OF_ONE)


class AddToCartForm(forms.Form):
    """A product for the basket."""

    sku = forms.CharField(max_length=64)
    quantity = forms.IntegerField(min_value=1, max_value=MOST_OF_ONE, initial=1)


class DeliveryForm(forms.Form):
    """Who to write to and where the parcel goes; six visible fields."""

    email = forms.EmailField(
        label=_("Email address"),
        help_text=_("We send the receipt and the tracking number here."),
        max_length=254,
        error_messages={
            "required": _("Enter your email address"),
            "invalid": _("Enter an email address like name@example.com"),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Full name"),
        max_length=100,
        error_messages={"required": _("Enter the name for the parcel")},
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    line1 = forms.CharField(
        label=_("Street and house number"),
        max_length=100,
        error_messages={"required": _("Enter the street and house number")},
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    line2 = forms.CharField(
        label=_("Flat, company or care of"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    postal_code = forms.CharField(
        label=_("Postal code"),
        max_length=12,
        error_messages={"required": _("Enter the postal code")},
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "spellcheck": "false"}),
    )
    city = forms.CharField(
        label=_("Town or city"),
        max_length=80,
        error_messages={"required": _("Enter the town or city")},
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: [("", _("Choose a country")), *delivery_countries()],
        error_messages={
            "required": _("Choose a country"),
            "invalid_choice": _("Choose one of the countries we deliver to"),
        },
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )

    @property
    def ship_to(self) -> Address:
        """The address of a valid form."""
        return Address(**{key: value for key, value in self.cleaned_data.items() if key != "email"})


class FindOrderForm(forms.Form):
    """What a guest knows of an order."""

    number = forms.CharField(
        label=_("Order number"),
        help_text=_("It begins with WB, and stands in every mail about the order."),
        max_length=20,
        error_messages={"required": _("Enter the order number")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )
    email = forms.EmailField(
        label=_("Email address"),
        help_text=_("The one you ordered with."),
        max_length=254,
        error_messages={
            "required": _("Enter your email address"),
            "invalid": _("Enter an email address like name@example.com"),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class ReviewForm(forms.Form):
    """What a reader thinks of a book."""

    stars = forms.TypedChoiceField(
        label=_("How did you like it?"),
        coerce=int,
        choices=[
            (5, _("5 stars: I shall read it again")),
            (4, _("4 stars: well worth it")),
            (3, _("3 stars: it has its moments")),
            (2, _("2 stars: not for me")),
            (1, _("1 star: I put it down")),
        ],
        error_messages={"required": _("Choose how many stars"), "invalid_choice": _("Choose how many stars")},
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label=_("Your review"),
        help_text=_("What should somebody know who has not read it yet?"),
        max_length=4000,
        error_messages={"required": _("Write a few words about the book")},
        widget=forms.Textarea(attrs={"rows": 7}),
    )
    signature = forms.CharField(
        label=_("Name to show"),
        help_text=_("Everybody sees it beside your review."),
        max_length=60,
        error_messages={"required": _("Enter the name to show")},
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "spellcheck": "false"}),
    )


class UnechoedInput(forms.TextInput):
    """A text field whose content is never sent back to the browser."""

    def format_value(self, value: Any) -> None:
        """Forget the value."""


class CardForm(forms.Form):
    """A card, on its way to becoming a token. Number and CVC are never echoed."""

    number = forms.CharField(
        label=_("Card number"),
        max_length=40,
        error_messages={"required": _("Enter the card number")},
        widget=UnechoedInput(
            attrs={"autocomplete": "cc-number", "inputmode": "numeric", "spellcheck": "false"}
        ),
    )
    expiry = forms.CharField(
        label=_("Expiry date"),
        help_text=_("Month and year, for example 08 / 29"),
        max_length=9,
        error_messages={"required": _("Enter the expiry date")},
        widget=forms.TextInput(attrs={"autocomplete": "cc-exp", "spellcheck": "false"}),
    )
    cvc = forms.CharField(
        label=_("Security code"),
        help_text=_("Three digits on the back of the card"),
        max_length=4,
        error_messages={"required": _("Enter the security code")},
        widget=UnechoedInput(attrs={"autocomplete": "cc-csc", "inputmode": "numeric"}),
    )

    def clean_number(self) -> str:
        """Return the digits alone, however they were grouped."""
        number = re.sub(r"[\s-]", "", self.cleaned_data["number"])
        if not re.fullmatch(r"[0-9]{12,19}", number):
            raise forms.ValidationError(_("Enter the 12 to 19 digits of the card number"))
        return number

    def clean_expiry(self) -> tuple[int, int]:
        """Return month and four-digit year."""
        match = _EXPIRY.match(self.cleaned_data["expiry"])
        month = int(match[1] or match[2]) if match else 0
        if not match or not 1 <= month <= 12:
            raise forms.ValidationError(_("Enter the expiry date as month and year, like 08 / 29"))
        year = 2000 + int(match[3]) % 100
        if (year, month) < _this_month():
            raise forms.ValidationError(_("This card has expired; enter another"))
        return month, year

    def clean_cvc(self) -> str:
        """Return three or four digits."""
        cvc: str = self.cleaned_data["cvc"].strip()
        if not re.fullmatch(r"[0-9]{3,4}", cvc):
            raise forms.ValidationError(_("Enter the three or four digits of the security code"))
        return cvc

    def add_refusal(self, refusal: Exception) -> None:
        """Tell the buyer, beside the number, why this card could not be taken."""
        self.add_error("number", gettext(str(refusal)))

    @property
    def card(self) -> dict[str, Any]:
        """The card of a valid form, as `payments.services.tokenize_card` takes it."""
        month, year = self.cleaned_data["expiry"]
        return {
            "number": self.cleaned_data["number"],
            "expiry_month": month,
            "expiry_year": year,
            "cvc": self.cleaned_data["cvc"],
        }


class ShippingForm(forms.Form):
    """How the parcel travels."""

    shipping_method = forms.ChoiceField(choices=[(method, method) for method in get_args(Method)])


class CouponForm(forms.Form):
    """A coupon's code; empty to go without."""

    code = forms.CharField(
        label=_("Coupon code"),
        max_length=40,
        required=False,
        widget=forms.TextInput(
            attrs={
                "form": "order",
                "autocomplete": "off",
                "spellcheck": "false",
                "autocapitalize": "characters",
            }
        ),
    )

    def clean_code(self) -> str:
        """Return the code as coupons have it."""
        return read_code(text=self.cleaned_data["code"])


class PlaceOrderForm(forms.Form):
    """What a review page hands back: the key of its one order, and what it showed."""

    idempotency_key = forms.CharField(max_length=64)
    agreed = forms.CharField(max_length=20_000)


def _this_month() -> tuple[int, int]:
    today = datetime.now(tz=UTC)
    return today.year, today.month
