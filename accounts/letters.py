"""What we write to people about their account: one short letter for each kind of mail, in plain words."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.utils.translation import gettext as _


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one mail; `code` stands large and alone, `button` leads to `link`; empty where there is none."""

    subject: str
    headline: str
    paragraphs: tuple[str, ...]
    code: str = ""
    button: str = ""
    link: str = ""


def sign_up_code(context: dict[str, Any]) -> Letter:
    """Prove the address of a new account."""
    return Letter(
        subject=_("Your code for Foxglove Books"),
        headline=_("Welcome to Foxglove Books"),
        paragraphs=(
            _("Enter this code on the page where you signed up. It is good for fifteen minutes."),
            _("If that was not you, ignore this mail: without the code nothing happens."),
        ),
        code=context["code"],
    )


def new_email_code(context: dict[str, Any]) -> Letter:
    """Prove another address."""
    return Letter(
        subject=_("Your code for Foxglove Books"),
        headline=_("Is this your address?"),
        paragraphs=(
            _("Enter this code to use this address for your account. It is good for fifteen minutes."),
            _("If that was not you, ignore this mail: without the code nothing happens."),
        ),
        code=context["code"],
    )


def password_code(context: dict[str, Any]) -> Letter:
    """Let somebody who forgot the password choose another."""
    return Letter(
        subject=_("A new password for Foxglove Books"),
        headline=_("Choose a new password"),
        paragraphs=(
            _("Enter this code on the page where you asked for it. It is good for a few minutes."),
            _("If that was not you, ignore this mail: your password stays as it is."),
        ),
        code=context["code"],
    )


def no_account(_context: dict[str, Any]) -> Letter:
    """Somebody asked for a password at an address that has no account."""
    return Letter(
        subject=_("You have no account at Foxglove Books"),
        headline=_("There is no account with this address"),
        paragraphs=(
            _("Somebody, perhaps you, asked for a new password for this address. It has no account with us."),
            _("If you have an account, it has another address. If you did not ask, ignore this mail."),
        ),
    )


def account_there_already(_context: dict[str, Any]) -> Letter:
    """Somebody signed up with an address that has an account."""
    return Letter(
        subject=_("You have an account at Foxglove Books"),
        headline=_("You have an account already"),
        paragraphs=(
            _(
                "Somebody, perhaps you, tried to open an account with this address. It has one: sign in with it."
            ),
            _("If you have forgotten the password, choose a new one where you sign in."),
        ),
    )


def password_changed(_context: dict[str, Any]) -> Letter:
    """The password is another one."""
    return Letter(
        subject=_("Your password was changed"),
        headline=_("Your password was changed"),
        paragraphs=(
            _("From now on your account has a new password."),
            _("If that was not you, choose a new one at once: “Forgotten your password?” where you sign in."),
        ),
    )


def email_changed(context: dict[str, Any]) -> Letter:
    """The address is another one; told to the one it was."""
    return Letter(
        subject=_("Your email address was changed"),
        headline=_("Your email address was changed"),
        paragraphs=(
            _("From now on your account has the address %(email)s.") % {"email": context["to_email"]},
            _("If that was not you, answer this mail."),
        ),
    )


LETTERS: dict[str, Callable[[dict[str, Any]], Letter]] = {
    "account/email/email_confirmation_signup": sign_up_code,
    "account/email/email_confirmation": new_email_code,
    "account/email/password_reset_code": password_code,
    "account/email/unknown_account": no_account,
    "account/email/account_already_exists": account_there_already,
    "account/email/password_changed": password_changed,
    "account/email/password_reset": password_changed,
    "account/email/email_changed": email_changed,
}
