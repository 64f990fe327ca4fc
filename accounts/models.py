"""The user, our own from the first migration so that it can grow, and where parcels of theirs go."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class User(AbstractUser):
    """Somebody who can sign in: a buyer with an account, or a member of staff."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_unique",
                condition=~models.Q(email=""),
                violation_error_message="There is an account with this e-mail address already.",
            ),
        ]


class Address(models.Model):
    """An address that a buyer once had a parcel sent to; the one used last is offered first."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses", db_index=False)
    name = models.CharField(max_length=100)
    line1 = models.CharField(max_length=100)
    line2 = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=12)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2 code.")
    used_at = models.DateTimeField()

    class Meta:
        ordering = ["-used_at"]
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                name="address_kept_once",
                fields=["user", "name", "line1", "line2", "postal_code", "city", "country"],
            ),
            models.CheckConstraint(name="address_country_is_iso", condition=Q(country__regex="^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.postal_code} {self.city}"
