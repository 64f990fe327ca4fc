"""What happens at the shop's door: what a visitor gathered as a guest goes with them into their account."""

from allauth.account.utils import user_email
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from accounts.adapter import AccountAdapter
from orders.services import claim_orders
from shop.cart import merge_cart
from shop.wishlist import merge_wishlist


class Doorkeeper(AccountAdapter):
    """Lets buyers in. Only proven addresses come this far, so orders made with them as a guest are theirs."""

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Sign in, and bring the guest's basket, wishes and orders along."""
        super().login(request, user)
        merge_cart(session=request.session, user_id=user.pk)
        merge_wishlist(session=request.session, user_id=user.pk)
        claim_orders(buyer_id=user.pk, email=user_email(user))
