"""What a web process tells of itself, in the words of the workers (`workers/health.py`)."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say that the process answers."""
    return _tell(waiting_for=None)


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say whether pages can be served; 503 names what is missing. Kafka is not: browsing and buying do without."""
    return _tell(waiting_for=None if _database_answers() else "database")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return this process's metrics for Prometheus."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _tell(*, waiting_for: str | None) -> HttpResponse:
    told = {"process": "web", "ok": waiting_for is None, "waiting_for": waiting_for}
    return JsonResponse(told, status=503 if waiting_for else 200)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True
