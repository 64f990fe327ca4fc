"""Mails as files, for one machine without a mail server."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class MessageFiles(BaseEmailBackend):
    """Writes each mail into `settings.EMAIL_FILE_PATH`, as a file named after its Message-ID.

    The same mail sent again replaces its file. Use it as `EMAIL_BACKEND = "notifications.backends.MessageFiles"`.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the mails and return how many there were; raises `OSError` where the folder takes none."""
        for message in email_messages:
            self._write(message=message.message())
        return len(email_messages)

    def _write(self, *, message: Any) -> None:
        folder = Path(settings.EMAIL_FILE_PATH)
        name = _file_name(message_id=message["Message-ID"])
        # A reader of the folder never sees half a mail: it is written aside and then takes its name.
        aside = folder / f".{name}.{secrets.token_hex(4)}"
        try:
            aside.write_bytes(message.as_bytes(linesep="\r\n"))
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(message.as_bytes(linesep="\r\n"))
        aside.replace(folder / name)


def _file_name(*, message_id: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9@._-]', '', message_id).lstrip('.')}.eml"
