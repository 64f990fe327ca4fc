"""The shop's addresses."""

from django.urls import path

from shop.views import cart, catalogue, checkout, covers, payment, robots

app_name = "shop"

urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path("products/<slug:slug>/", catalogue.product, name="product"),
    path("covers/<str:sku>.svg", covers.cover, name="cover"),
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.add, name="cart_add"),
    path("cart/undo/", cart.undo, name="cart_undo"),
    path("cart/<str:sku>/", cart.change, name="cart_change"),
    path("cart/<str:sku>/remove/", cart.remove, name="cart_remove"),
    path("checkout/", checkout.delivery, name="delivery"),
    path("checkout/payment/", checkout.payment, name="payment"),
    path("checkout/review/", checkout.review, name="review"),
    path("orders/<str:token>/pay/", payment.pay_again, name="pay"),
    path("payments/return/<uuid:attempt_id>/", payment.return_from_bank, name="payment_return"),
    path("robots.txt", robots.robots, name="robots"),
]
