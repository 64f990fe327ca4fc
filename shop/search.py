"""Full-text search over products: one folding of letters, shared by what is stored and what is asked."""

import re
import unicodedata
from functools import reduce
from operator import and_

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVectorField
from django.db.models import Expression, F, Func, IntegerField, JSONField, TextField, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast

_ACCENTED = "ÀÁÂÃÄÅĀÇČĆÈÉÊËĒĚÌÍÎÏĪÑŃŇÒÓÔÕÖØŌÙÚÛÜŪŮÝŸŽŹŻŠŚŘŁĐàáâãäåāçčćèéêëēěìíîïīñńňòóôõöøōùúûüūůýÿžźżšśřłđ’"  # noqa: RUF001
_PLAIN = "AAAAAAACCCEEEEEEIIIIINNNOOOOOOOUUUUUUYYZZZSSRLDaaaaaaaccceeeeeeiiiiinnnooooooouuuuuuyyzzzssrld'"
_FOLD = str.maketrans(_ACCENTED, _PLAIN)
_MOST_TERMS = 8
_RANK_STEPS = 1_000_000


class Folded(Func):
    """SQL: the text in lower case and without accents. Immutable, so columns can be generated from it.

    PostgreSQL's own `unaccent` is an extension that small installations lack, and is not immutable.
    """

    template = f"LOWER(TRANSLATE(%(expressions)s, '{_ACCENTED}', '{_PLAIN.replace(chr(39), chr(39) * 2)}'))"
    output_field = TextField()


class SortTitle(Folded):
    """SQL: the folded text without a leading article, so that "The Odyssey" stands under O."""

    template = f"REGEXP_REPLACE({Folded.template}, '^(the|an?) +', '')"


class Words(Func):
    """SQL: the weighted words of a text, by `config` as written ("simple") or stemmed ("english")."""

    template = "SETWEIGHT(TO_TSVECTOR('%(config)s', %(expressions)s), '%(weight)s')"
    output_field = SearchVectorField()


class JsonWords(Words):
    """SQL: the words of a JSON document's strings; its keys and numbers are left out."""

    template = "SETWEIGHT(JSONB_TO_TSVECTOR('%(config)s', %(expressions)s, '[\"string\"]'), '%(weight)s')"


def product_vector() -> Expression:
    """Return the expression of a product's search vector.

    Words are kept as written, for prefixes and for titles such as "She" that a stemmer drops, and stemmed;
    those of the description only stemmed.
    """
    attributes = Cast(Folded(Cast("attributes", TextField())), JSONField())
    return _join(
        Words(Folded("title"), config="simple", weight="A"),
        Words(Folded("title"), config="english", weight="A"),
        Words(Folded("byline"), config="simple", weight="B"),
        Words(Folded("byline"), config="english", weight="B"),
        JsonWords(attributes, config="simple", weight="C"),
        JsonWords(attributes, config="english", weight="C"),
        Words(Folded("description"), config="english", weight="D"),
    )


def fold(*, text: str) -> str:
    """Return `text` as `Folded` leaves it in the database."""
    return unicodedata.normalize("NFC", text).translate(_FOLD).lower()


def find_words(*, text: str) -> list[str]:
    """Return the words of a text: letters and digits, folded, without the s of a possessive."""
    return re.findall(r"[^\W_]+", re.sub(r"'s\b", "", fold(text=text)))


def find_terms(*, text: str) -> list[str]:
    """Return the words to look for in what a visitor typed, eight at most."""
    return find_words(text=text)[:_MOST_TERMS]


def match_terms(*, terms: list[str]) -> SearchQuery:
    """Return the query for products with all `terms`; the last may be the beginning of a word."""
    whole = [SearchQuery(term, config="english") for term in terms]
    return reduce(and_, [*whole[:-1], whole[-1] | _prefix(term=terms[-1])])


def rank_terms(*, terms: list[str]) -> Expression:
    """Return how well a product matches, a whole number, so that a cursor can compare it exactly.

    Whole words weigh ten times what beginnings of words do.
    """
    whole = reduce(and_, [SearchQuery(term, config="simple") for term in terms])
    vector = F("search_vector")
    score = SearchRank(vector, whole) + SearchRank(vector, match_terms(terms=terms)) / Value(10.0)
    return Cast(score * Value(_RANK_STEPS), IntegerField())


def _join(*vectors: Expression) -> Expression:
    return reduce(lambda one, other: CombinedExpression(one, "||", other, SearchVectorField()), vectors)


def _prefix(*, term: str) -> SearchQuery:
    return SearchQuery(f"{term}:*", config="simple", search_type="raw")
