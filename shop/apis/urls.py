"""The API's addresses."""

from django.urls import path, re_path

from shop.apis.documents import DocumentPage, SchemaDocument
from shop.apis.orders import Order, OrderCancellation, OrderPayment, Orders, OrderTimeline
from shop.apis.payment_methods import PaymentMethods
from shop.apis.problems import answer_unknown_path
from shop.apis.products import Product, Products

app_name = "api"

urlpatterns = [
    path("v1/products/", Products.as_view(), name="products"),
    path("v1/products/<slug:slug>/", Product.as_view(), name="product"),
    path("v1/payment-methods/", PaymentMethods.as_view(), name="payment_methods"),
    path("v1/orders/", Orders.as_view(), name="orders"),
    path("v1/orders/<slug:token>/", Order.as_view(), name="order"),
    path("v1/orders/<slug:token>/timeline/", OrderTimeline.as_view(), name="timeline"),
    path("v1/orders/<slug:token>/cancel/", OrderCancellation.as_view(), name="cancel"),
    path("v1/orders/<slug:token>/pay/", OrderPayment.as_view(), name="pay"),
    path("v1/schema/", SchemaDocument.as_view(), name="schema"),
    path("v1/docs/", DocumentPage.as_view(), name="docs"),
    re_path("", answer_unknown_path),
]
