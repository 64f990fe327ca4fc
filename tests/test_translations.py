"""The German of the shop: complete, compiled, and with the same blanks to fill as the English."""

import re
from pathlib import Path

import polib
import pytest

CATALOGUE = Path(__file__).resolve().parent.parent / "locale" / "de" / "LC_MESSAGES" / "django.po"
ENTRIES = list(polib.pofile(str(CATALOGUE)))
BLANK = re.compile(r"%\(\w+\)[sd]")


def german(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.msgid[:40])
def test_every_text_is_in_german_and_fills_the_same_blanks(entry: polib.POEntry) -> None:
    assert "fuzzy" not in entry.flags
    for text in german(entry):
        assert text
        assert set(BLANK.findall(text)) == set(BLANK.findall(entry.msgid_plural or entry.msgid))


def test_the_compiled_catalogue_is_of_the_same_texts() -> None:
    compiled = {entry.msgid: german(entry) for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))}

    assert compiled == {entry.msgid: german(entry) for entry in ENTRIES}, "Run `make messages`."
