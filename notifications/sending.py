"""Handing a mail to the mail server, and what its answer means.

A worker that dies between the sending and the writing down sends again, with the same Message-ID. Where mails are
files, the second replaces the first; by plain SMTP it may be delivered twice, and says so by that header.
"""

import smtplib

import msgspec
from django.core.mail import EmailMessage

from notifications.mails import Mail, message_of
from workers import DependencyDown, PermanentError, TransientError

_SERVICE_NOT_AVAILABLE = 421


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The server took the mail."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The server will never take a mail for this recipient; `reason` is what it said."""

    reason: str


Outcome = Sent | Refused


def send(*, mail: Mail) -> Outcome:
    """Send one mail about an order; see `hand_over`."""
    return hand_over(message=message_of(mail=mail), to=mail.to)


def hand_over(*, message: EmailMessage, to: str) -> Outcome:
    """Hand a mail to one reader to the mail server.

    Raises `DependencyDown` when the server cannot be used at all, `TransientError` when it asks to come again,
    `PermanentError` when it will not have the mail for a reason that is not its recipient.
    """
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        return _refused(refusal=refusal, to=to)
    except smtplib.SMTPResponseException as error:
        raise _meaning(error=error) from error
    except smtplib.SMTPServerDisconnected as error:
        raise TransientError(f"The mail server hung up: {error}") from error
    except OSError as error:
        raise DependencyDown(f"the mail server ({error})") from error
    return Sent()


def _refused(*, refusal: smtplib.SMTPRecipientsRefused, to: str) -> Refused:
    code, words = refusal.recipients[to]
    reason = f"{code} {words.decode(errors='replace')}"
    if code < 500:
        raise TransientError(f"The mail server does not take the recipient now: {reason}") from refusal
    return Refused(reason=reason)


def _meaning(*, error: smtplib.SMTPResponseException) -> Exception:
    words = (
        error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    )
    answer = f"{error.smtp_code} {words}"
    at_the_door = isinstance(
        error, smtplib.SMTPConnectError | smtplib.SMTPAuthenticationError | smtplib.SMTPHeloError
    )
    if at_the_door or error.smtp_code == _SERVICE_NOT_AVAILABLE:
        return DependencyDown(f"the mail server ({answer})")
    if error.smtp_code < 500:
        return TransientError(f"The mail server asks to come again: {answer}")
    return PermanentError(f"The mail server refuses the mail: {answer}")
