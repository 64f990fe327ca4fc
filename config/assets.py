"""Static files as they are served."""

from collections.abc import Iterator, Mapping
from typing import Any

from whitenoise.storage import CompressedStaticFilesStorage

_ON_PAGES = ("css/", "js/", "img/", "django_htmx/htmx-2.min.js")


class PageAssets(CompressedStaticFilesStorage):
    """Compresses beforehand what buyers' pages load; the back office's many files would cost every start seconds."""

    def post_process(self, paths: Mapping[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Compress what pages load."""
        on_pages = {name: place for name, place in paths.items() if name.startswith(_ON_PAGES)}
        return super().post_process(on_pages, dry_run, **options)  # type: ignore[no-any-return]
