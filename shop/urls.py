"""The shop's addresses."""

from django.urls import path

from shop.views import (
    account,
    cart,
    catalogue,
    checkout,
    covers,
    lookup,
    notices,
    payment,
    reviews,
    robots,
    wishlist,
)

app_name = "shop"

urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path("products/<slug:slug>/", catalogue.product, name="product"),
    path("products/<slug:slug>/review/", reviews.review, name="review_write"),
    path("covers/<str:sku>.svg", covers.cover, name="cover"),
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.add, name="cart_add"),
    path("cart/undo/", cart.undo, name="cart_undo"),
    path("cart/<str:sku>/", cart.change, name="cart_change"),
    path("cart/<str:sku>/remove/", cart.remove, name="cart_remove"),
    path("checkout/", checkout.delivery, name="delivery"),
    path("checkout/payment/", checkout.payment, name="payment"),
    path("checkout/shipping/", checkout.shipping, name="shipping"),
    path("checkout/coupon/", checkout.coupon, name="coupon"),
    path("checkout/review/", checkout.review, name="review"),
    path("account/", account.home, name="account"),
    path("account/orders/", account.orders, name="orders"),
    path("account/addresses/", account.addresses, name="addresses"),
    path("account/addresses/<int:address_id>/remove/", account.remove_address, name="address_remove"),
    path("account/notifications/", notices.notices, name="notifications"),
    path("account/notifications/unread/", notices.unread, name="unread"),
    path("account/notifications/read/", notices.read_all, name="notifications_read"),
    path("orders/find/", lookup.find_order, name="find_order"),
    path("orders/<str:token>/", notices.order_page),  # the page of `orders`, which knows of no notices
    path("orders/<str:token>/again/", lookup.order_again, name="order_again"),
    path("orders/<str:token>/pay/", payment.pay_again, name="pay"),
    path("payments/return/<uuid:attempt_id>/", payment.return_from_bank, name="payment_return"),
    path("wishlist/", wishlist.wishlist, name="wishlist"),
    path("wishlist/<str:sku>/", wishlist.save, name="wish"),
    path("wishlist/<str:sku>/remove/", wishlist.drop, name="wish_drop"),
    path("robots.txt", robots.robots, name="robots"),
    path("favicon.ico", robots.favicon),
]
