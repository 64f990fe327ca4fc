"""Reading a request's body: JSON into a frozen value, or a refusal that names every field at fault."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeVar, cast, get_args, get_origin

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from shop.apis.problems import Faults, Refusal, refuse_fields

MOST_BYTES = 64 * 1024
_WHERE = re.compile(r" - at `.*`$")

T = TypeVar("T", bound=msgspec.Struct)


class JsonBytes(BaseParser):
    """Hands the JSON on as it came: `read_body` decodes and checks it in one go."""

    media_type = "application/json"

    def parse(  # type: ignore[override]  # bytes go through, though the stubs know of mappings only
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002  (REST framework's signature)
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the body's bytes. Raises `Refusal` (413) where there are too many."""
        request = (parser_context or {})["request"]
        if int(request.META["CONTENT_LENGTH"]) > MOST_BYTES:
            raise Refusal(413, f"Send at most {MOST_BYTES // 1024} KiB.")
        body: bytes = stream.read()
        return body


def read_body(*, request: Request, kind: type[T]) -> T:
    """Return the request's body as a `kind`.

    Raises `Refusal`: 400 for what is no JSON, 413 for too much of it, 422 with every field at fault.
    """
    body = cast("bytes", request.data or b"")
    with _json_only():
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise refuse_fields(_explain(body=body, kind=kind, error=error)) from error


def find_faults(*, value: Any, kind: Any, path: str = "") -> Faults:
    """Return what keeps `value` (as decoded from JSON) from being a `kind`, by the path of the field."""
    if isinstance(value, dict) and _is_struct(kind):
        return _struct_faults(value=value, kind=kind, path=path)
    if isinstance(value, list) and _is_struct(item := _item_of(kind)):
        return _list_faults(value=value, item=item, path=path) or _mismatch(value=value, kind=kind, path=path)
    return _mismatch(value=value, kind=kind, path=path)


@contextmanager
def _json_only() -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"The body must be JSON in UTF-8: {error}.") from error


def _explain(*, body: bytes, kind: type[T], error: msgspec.ValidationError) -> Faults:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.ValidationError, RecursionError):
        # JSON, but with numbers or depths beyond any use: the first fault is all there is to tell.
        return {"body": [str(error)]}
    return find_faults(value=value, kind=kind) or {"body": [str(error)]}


def _struct_faults(*, value: dict[str, Any], kind: Any, path: str) -> Faults:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    inside = f"{path}." if path else ""
    faults: Faults = {f"{inside}{name}": ["There is no such field."] for name in value if name not in fields}
    for name, field in fields.items():
        if name in value:
            faults |= find_faults(value=value[name], kind=field.type, path=f"{inside}{name}")
        elif field.required:
            faults[f"{inside}{name}"] = ["This field is required."]
    return faults


def _list_faults(*, value: list[Any], item: Any, path: str) -> Faults:
    faults: Faults = {}
    for index, one in enumerate(value):
        faults |= find_faults(value=one, kind=item, path=f"{path}[{index}]")
    return faults


def _mismatch(*, value: Any, kind: Any, path: str) -> Faults:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return {path or "body": [_words(error=error, kind=kind)]}
    return {}


def _words(*, error: msgspec.ValidationError, kind: Any) -> str:
    """Return what msgspec says, or the field's own description where it would only show a pattern."""
    text = _WHERE.sub("", str(error))
    meta = [one for one in get_args(kind)[1:] if isinstance(one, msgspec.Meta)]
    return meta[0].description or text if meta and "regex" in text else text


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _item_of(kind: Any) -> Any:
    """Return `X` for `list[X]`, annotated or not; else None."""
    plain = getattr(kind, "__origin__", kind) if hasattr(kind, "__metadata__") else kind
    return get_args(plain)[0] if get_origin(plain) is list else None
