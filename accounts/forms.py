"""The forms of an account: allauth's, in the shop's words. Every message says what to do."""

from typing import TYPE_CHECKING, Any

from allauth.account import forms as allauth
from django import forms
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise  # what gettext_lazy returns, by its name in the stubs

    Words = str | _StrPromise

_LENGTH = _("At least 8 characters, not a common word, and not your email address.")
_AGAIN = _("Enter your password")


class PlainFields(forms.Form):
    """Labels above the fields instead of words inside them, and errors that say what to enter."""

    # By field: its label, what helps to fill it in, and what to say when it was left empty.
    words: "dict[str, tuple[Words, Words, Words]]" = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.words):
            del self.fields[name]
        for name, (label, help_text, required) in self.words.items():
            field = self.fields[name]
            field.label, field.help_text = label, help_text
            field.error_messages["required"] = required
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs.update(spellcheck="false", autocapitalize="none")


_EMAIL = (_("Email address"), "", _("Enter your email address"))
_NEW = (_("New password"), _LENGTH, _("Enter a new password"))
_CODE = (_("Code"), "", _("Enter the code from our mail"))


class SignInForm(PlainFields, allauth.LoginForm):
    """Email address and password."""

    words = {"login": _EMAIL, "password": (_("Password"), "", _AGAIN)}


class SignUpForm(PlainFields, allauth.SignupForm):
    """Email address and a password of one's own."""

    words = {"email": _EMAIL, "password1": (_("Choose a password"), _LENGTH, _("Choose a password"))}


class NewEmailForm(PlainFields, allauth.AddEmailForm):
    """The address that mails shall go to from now on."""

    words = {"email": (_("New email address"), "", _("Enter your new email address"))}


class NewPasswordForm(PlainFields, allauth.ChangePasswordForm):
    """The password so far, and the one from now on."""

    words = {
        "oldpassword": (_("Password so far"), "", _("Enter the password you have used so far")),
        "password1": _NEW,
    }


class ForgottenPasswordForm(PlainFields, allauth.ResetPasswordForm):
    """Whom to send a code to."""

    words = {"email": _EMAIL}


class ForgottenPasswordReplacedForm(PlainFields, allauth.ResetPasswordKeyForm):
    """A new password for one that was forgotten."""

    words = {"password1": _NEW}


class PasswordAgainForm(PlainFields, allauth.ReauthenticateForm):
    """The password once more, before something that matters."""

    words = {"password": (_("Password"), "", _AGAIN)}


class EmailCodeForm(PlainFields, allauth.ConfirmEmailVerificationCodeForm):
    """The code that proves an email address."""

    words = {"code": _CODE}


class PasswordCodeForm(PlainFields, allauth.ConfirmPasswordResetCodeForm):
    """The code that allows a new password."""

    words = {"code": _CODE}
