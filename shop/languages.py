"""The language of a page: what the visitor chose, else what the browser asks for."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

_IN_ENGLISH = ("/api/", "/admin/")


class PageLanguage(LocaleMiddleware):
    """Pages speak the visitor's language; the API and the admin, whose words are not translated, speak English."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language of this request."""
        if request.path_info.startswith(_IN_ENGLISH):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say what the page's language depends on; what is always English depends on nothing."""
        if request.path_info.startswith(_IN_ENGLISH):
            return response
        return super().process_response(request, response)
