from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("orders/<str:token>/", views.order_page, name="order"),
    path("orders/<str:token>/timeline/", views.timeline, name="timeline"),
    path("orders/<str:token>/return/", views.return_books, name="return"),
    path("orders/<str:token>/cancel/", views.cancel, name="cancel"),
]
