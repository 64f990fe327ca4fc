"""A mail as it leaves, read by the standard library's parser."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core.mail.message import BadHeaderError

from notifications.mime import LetterMessage

HTML = "<p>Grüße, „Emma“ = 10 €</p>\n" + "<p>" + "lang " * 300 + "</p>\n.\n"


def letter(**changes: Any) -> LetterMessage:
    values: dict[str, Any] = {
        "subject": "Your order",
        "body": "Grüße\n.\nFrom us\n",
        "to": ["reader@example.org"],
        **changes,
    }
    message = LetterMessage(from_email="Foxglove Books <orders@foxglove.example>", **values)
    message.attach_alternative(HTML, "text/html")
    return message


def read(message: LetterMessage) -> Any:
    return message_from_bytes(message.message().as_bytes(linesep="\r\n"), policy=policy.default)


def test_a_reader_finds_both_parts_as_they_were_written():
    mail = read(letter())
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content().splitlines() == ["Grüße", ".", "From us"]
    assert html.get_content().splitlines() == HTML.splitlines()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert not mail.defects


def test_no_line_is_longer_than_a_mail_server_takes():
    lines = letter().message().as_bytes(linesep="\r\n").split(b"\r\n")
    assert max(map(len, lines)) <= 78


def test_headers_that_are_not_ascii_are_encoded():
    mail = read(letter(subject="Größe 10 = " + "ü" * 80, to=["Émile <emile@example.org>"]))
    assert mail["Subject"] == "Größe 10 = " + "ü" * 80
    assert mail["To"].addresses[0].display_name == "Émile"


@pytest.mark.parametrize(
    "change", [{"subject": "a\nBcc: x@example.org"}, {"to": ["a@example.org\r\nBcc: x"]}]
)
def test_a_line_break_smuggles_no_header_in(change):
    with pytest.raises(BadHeaderError):
        letter(**change).message()


def test_the_headers_a_mail_needs_are_there():
    mail = read(letter(headers={"Message-ID": "<1@foxglove.example>"}))
    assert mail["Message-ID"] == "<1@foxglove.example>"
    assert mail["From"].addresses[0].addr_spec == "orders@foxglove.example"
    assert abs(mail["Date"].datetime.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)
