"""The addresses of signing up, signing in, and looking after one's account: allauth's views."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import urls
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Keep a view's pages out of every cache, and answer 422 where its form has errors, as all our forms do."""

    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and _is_refused(context=response.context_data or {}):
            response.status_code = 422
        return response

    return wrapped


def _is_refused(*, context: dict[str, Any]) -> bool:
    form = context.get("form")
    return isinstance(form, BaseForm) and form.is_bound and not form.is_valid()


urlpatterns = [
    URLPattern(one.pattern, private(one.callback), one.default_args, one.name) for one in urls.urlpatterns
]
