"""What a buyer fills in about an order. Every message says what to do."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Return
from orders.selectors import ReturnableLine


class ReturnForm(forms.Form):
    """How many pieces of each line go back, and why."""

    reason = forms.ChoiceField(
        label=_("Why?"),
        choices=Return.Reason.choices,
        error_messages={
            "required": _("Choose why you send it back"),
            "invalid_choice": _("Choose why you send it back"),
        },
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, lines: Sequence[ReturnableLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            self.fields[_name_of(line=line)] = forms.TypedChoiceField(
                label=line.title,
                choices=[(pieces, pieces) for pieces in range(line.most + 1)],
                coerce=int,
                initial=0,
                error_messages={"invalid_choice": _("Choose a number from the list")},
            )

    @property
    def line_fields(self) -> list[forms.BoundField]:
        """The fields that ask how many pieces."""
        return [self[_name_of(line=line)] for line in self.lines]

    @property
    def pieces(self) -> dict[int, int]:
        """The pieces of a valid form, by the position of their line."""
        return {line.position: self.cleaned_data[_name_of(line=line)] for line in self.lines}

    def clean(self) -> dict[str, Any]:
        """Want at least one piece."""
        chosen = [self.cleaned_data.get(_name_of(line=line)) for line in self.lines]
        if not any(chosen) and None not in chosen:
            self.add_error(_name_of(line=self.lines[0]), _("Choose at least one book to send back"))
        return self.cleaned_data


def _name_of(*, line: ReturnableLine) -> str:
    return f"line_{line.position}"
