"""Help with typing mistakes: the words that the catalogue uses, and which of them a visitor may have meant.

Trigrams would be an extension of PostgreSQL that small installations lack (docs/decisions/0009); a search that finds
nothing is rare enough to compare its words with a table of all words of about the same length.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models.functions import Length
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from shop.models import SearchWord
from shop.search import find_words

_SHORTEST = 3
_LONGEST = 40
_LONG = 6


def learn_words(*, texts: Iterable[str]) -> None:
    """Remember the words of these texts as spelled right. One query."""
    words = {word for text in texts for word in find_words(text=text) if _can_be_misspelled(word)}
    SearchWord.objects.bulk_create([SearchWord(word=word) for word in sorted(words)], ignore_conflicts=True)


def words_of_product(*, title: str, byline: str, attributes: Mapping[str, Any]) -> list[str]:
    """Return the texts of a product that visitors search by, for `learn_words`."""
    return [title, byline, *(value for value in attributes.values() if isinstance(value, str))]


def correct_words(*, words: Sequence[str]) -> list[str]:
    """Return folded words with each that the catalogue does not know replaced by the nearest it knows. One query."""
    known = _words_about_as_long(words=words)
    return [_nearest(word=word, known=known) for word in words]


def _words_about_as_long(*, words: Sequence[str]) -> list[str]:
    lengths = {length for word in words for length in range(len(word) - 2, len(word) + 3)}
    of_length = SearchWord.objects.annotate(length=Length("word")).filter(length__in=lengths)
    return list(of_length.order_by("word").values_list("word", flat=True))


def _nearest(*, word: str, known: list[str]) -> str:
    if not _can_be_misspelled(word):
        return word
    # People seldom miss the first letter: of words equally near, one that shares it comes first.
    candidates = sorted(known, key=lambda candidate: candidate[0] != word[0])
    found = process.extractOne(
        word, candidates, scorer=DamerauLevenshtein.distance, score_cutoff=_most_mistakes(word)
    )
    return found[0] if found else word


def _most_mistakes(word: str) -> int:
    """One in short words, two in long ones: Elasticsearch's `fuzziness: AUTO` draws the line at six letters too."""
    return 2 if len(word) >= _LONG else 1


def _can_be_misspelled(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and word.isalpha()
