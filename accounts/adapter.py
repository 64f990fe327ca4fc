"""What allauth leaves to the shop: how its mails read."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string

from accounts.letters import LETTERS


class AccountAdapter(DefaultAccountAdapter):
    """allauth's ways, with mails in the shop's own hand."""

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Return the mail of this kind as text and as HTML; one that we have no words for is allauth's own."""
        write = LETTERS.get(template_prefix)
        if write is None:
            theirs: EmailMessage = super().render_mail(template_prefix, email, context, headers)
            return theirs
        letter = write(context)
        message = EmailMultiAlternatives(
            subject=letter.subject,
            body=render_to_string("account/email/letter.txt", {"letter": letter}),
            from_email=self.get_from_email(),
            to=[email] if isinstance(email, str) else email,
            headers={"Auto-Submitted": "auto-generated", **(headers or {})},
        )
        message.attach_alternative(
            render_to_string("account/email/letter.html", {"letter": letter}), "text/html"
        )
        return message
