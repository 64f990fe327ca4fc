"""The catalogue: products of typed kinds on shelves. It knows nothing of books; the product type does."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, IntegerField, Q, TextField, Value
from django.db.models.functions import Cast, Now
from django.db.models.lookups import Exact, LessThanOrEqual

from shop.attributes import BadAttributes, Definition, check_attributes
from shop.search import SortTitle, product_vector


class ProductType(models.Model):
    """A kind of product, and by its attributes what can be said of every product of that kind."""

    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def define_attributes(self) -> list[Definition]:
        """Return the definitions of this type's attributes, in the order they are shown. One query."""
        return [attribute.define() for attribute in self.attributes.all()]


class Attribute(models.Model):
    """One thing that can be said of the products of a type; a facet is one that visitors filter by."""

    class Kind(models.TextChoices):
        """What values an attribute takes."""

        TEXT = "text"
        INTEGER = "integer"
        CHOICE = "choice"

    product_type = models.ForeignKey(ProductType, on_delete=models.CASCADE, related_name="attributes")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_facet = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product_type", "key"], name="one_attribute_per_key"),
            models.CheckConstraint(condition=Q(kind__in=["text", "integer", "choice"]), name="kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind="choice", choices__len__gt=0) | (~Q(kind="choice") & Q(choices__len=0)),
                name="choices_belong_to_a_choice",
            ),
            models.CheckConstraint(condition=~Q(kind="integer", is_facet=True), name="facet_is_not_a_number"),
        ]

    def __str__(self) -> str:
        return self.label

    def define(self) -> Definition:
        """Return this attribute as a plain value."""
        return Definition(
            key=self.key,
            label=self.label,
            kind=self.kind,
            choices=tuple(self.choices),
            is_facet=self.is_facet,
        )


class Category(models.Model):
    """A shelf. Every product stands on one."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something the shop sells, at its price of now. How many there are is inventory's to say."""

    sku = models.CharField("SKU", max_length=40, unique=True)
    slug = models.SlugField(max_length=120, unique=True)
    product_type = models.ForeignKey(ProductType, on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    title = models.CharField(max_length=200)
    byline = models.CharField(max_length=200, blank=True, help_text="Author, artist, brand.")
    description = models.TextField(blank=True)
    price_amount = models.PositiveIntegerField(help_text="In minor units (cents), tax included.")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217 code.")
    attributes = models.JSONField(default=dict, blank=True, help_text="By key, as the product type defines.")
    is_active = models.BooleanField(default=True, help_text="Off: no longer sold, its page says so.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sort_title = models.GeneratedField(
        expression=SortTitle("title"), output_field=TextField(), db_persist=True
    )
    search_vector = models.GeneratedField(
        expression=product_vector(), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(sku__regex=r"^[A-Z0-9][A-Z0-9-]*$"), name="sku_is_well_formed"
            ),
            models.CheckConstraint(condition=Q(price_amount__gt=0), name="price_is_above_zero"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="currency_is_well_formed"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="product_has_a_title"),
            models.CheckConstraint(
                condition=Exact(
                    Func("attributes", function="JSONB_TYPEOF", output_field=TextField()), Value("object")
                ),
                name="attributes_are_an_object",
            ),
            # An entry of a B-tree, and so of the index `product_facets`, holds 2,704 bytes at most.
            models.CheckConstraint(
                condition=LessThanOrEqual(
                    Func(
                        Cast("attributes", TextField()), function="OCTET_LENGTH", output_field=IntegerField()
                    ),
                    Value(2000),
                ),
                name="attributes_fit_their_index",
                violation_error_message="All attributes together must be shorter than 2,000 bytes.",
            ),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["search_vector"], name="product_search"),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="product_attributes"),
            models.Index(F("category"), F("id"), condition=Q(is_active=True), name="product_on_shelf"),
            # Counts of facets read this index alone, and not the wide rows.
            models.Index(
                "category", include=["attributes"], condition=Q(is_active=True), name="product_facets"
            ),
            models.Index(F("price_amount"), F("id"), condition=Q(is_active=True), name="product_by_price"),
            models.Index(F("sort_title"), F("id"), condition=Q(is_active=True), name="product_by_title"),
            models.Index(F("id"), condition=Q(is_active=True), name="product_for_sale"),
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Hold the attributes against what the product type allows. Raises `ValidationError`."""
        if not self.product_type_id:
            return
        try:
            check_attributes(definitions=self.product_type.define_attributes(), attributes=self.attributes)
        except BadAttributes as error:
            raise ValidationError({"attributes": str(error)}) from error


class KeptCart(models.Model):
    """The basket of an account, for its next session: by SKU how many pieces, and the price last seen."""

    user_id = models.BigIntegerField(primary_key=True)
    lines = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Basket of account {self.user_id}"


class Wish(models.Model):
    """A product that an account wants to come back to.

    A drop below `told_price` is told by mail, and then that is the price to drop below; so is stock that arrives, not
    again within a day of `stock_told_at`.
    """

    user_id = models.BigIntegerField()
    sku = models.CharField(max_length=40)
    saved_price = models.PositiveIntegerField(help_text="Minor units.")
    told_price = models.PositiveIntegerField(help_text="Minor units.")
    stock_told_at = models.DateTimeField(null=True)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "wishes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user_id", "sku"], name="wish_once")]
        indexes: ClassVar = [models.Index(fields=["sku"], name="wish_by_sku")]

    def __str__(self) -> str:
        return f"{self.sku} for account {self.user_id}"


class Review(models.Model):
    """What the reader of a book says of it; one for each buyer and book, shown once staff have published it."""

    class Status(models.TextChoices):
        """Whether visitors see it."""

        PENDING = "pending", "pending"
        PUBLISHED = "published", "published"
        REFUSED = "refused", "refused"

    # No index of its own: that of the constraint below begins with it.
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews", db_index=False)
    buyer_id = models.BigIntegerField(help_text="The account of the buyer.")
    signature = models.CharField(max_length=60)
    stars = models.PositiveSmallIntegerField()
    text = models.TextField(max_length=4000)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["-written_at"]
        default_permissions = ("view", "change")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "buyer_id"], name="one_review_of_a_buyer"),
            models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="stars_from_one_to_five"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "published", "refused"]), name="review_status_is_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "written_at"], name="review_to_moderate")]

    def __str__(self) -> str:
        return f"{self.stars} of 5 for {self.product}, by {self.signature}"


class SearchWord(models.Model):
    """A word that some product's title, byline or attributes use, folded: what a mistyped word may have meant."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word


class Coupon(models.Model):
    """A code that makes an order cheaper, by a part of its goods' price or by an amount.

    `uses` counts the orders that stand with it; whoever changes it holds the lock of the row. An amount needs goods
    worth more than it, and a part is never the whole: something is left to be charged.
    """

    code = models.CharField(max_length=40, unique=True, help_text="Capital letters, digits and hyphens.")
    percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1 to 90; empty where an amount is taken off."
    )
    amount = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="In minor units (cents), less than the smallest subtotal; empty for a percentage.",
    )
    minimum_subtotal = models.PositiveBigIntegerField(default=0, help_text="In minor units (cents).")
    most_uses = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for no limit.")
    most_uses_each = models.PositiveIntegerField(
        null=True, blank=True, help_text="By one email address; empty for no limit."
    )
    starts_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="coupon_code_is_plain",
                condition=Q(code__regex="^[A-Z0-9-]+$"),
                violation_error_message="Write a code in capital letters, digits and hyphens.",
            ),
            models.CheckConstraint(
                name="coupon_takes_a_part_or_an_amount",
                condition=Q(percent__isnull=False, percent__range=(1, 90), amount=None)
                | Q(percent=None, amount__isnull=False, amount__gt=0, amount__lt=F("minimum_subtotal")),
                violation_error_message="Give 1 to 90 percent, or an amount below the minimum subtotal.",
            ),
            models.CheckConstraint(
                name="coupon_is_not_used_too_often", condition=Q(most_uses=None) | Q(uses__lte=F("most_uses"))
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponUse(models.Model):
    """An order that was placed with a coupon; given back when the order ended without a sale."""

    # No index of its own: that of the addresses below begins with it.
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="orders", db_index=False)
    order_id = models.UUIDField(unique=True)
    email = models.EmailField(help_text="In small letters.")
    used_at = models.DateTimeField(db_default=Now())
    given_back_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["coupon", "email"], name="coupon_use_by_email")]

    def __str__(self) -> str:
        return f"{self.coupon_id} for order {self.order_id}"
