"""The terms that both languages keep to: the glossary page and its catalog, and nothing else."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polib
import snowballstemmer
from glossary import spellings

Terms = dict[str, tuple[str, ...]]  # Japanese spelling: the English that may stand for it

SCRIPTS = ("[ァ-ヺー]", "[㐀-鿿々]", "[A-Za-z0-9]")
STEMMER = snowballstemmer.stemmer("english")


def read_terms(page: Path, catalog: Path) -> Terms:
    """Any English spelling of a group may stand for any Japanese spelling of it."""
    english = {entry.msgid: entry.msgstr for entry in polib.pofile(str(catalog)) if entry.msgstr}
    terms: Terms = {}
    for group in spellings(page.read_text(encoding="utf-8")):
        if accepted := tuple(english[spelling] for spelling in group if spelling in english):
            terms |= dict.fromkeys(group, accepted)
    return dict(sorted(terms.items(), key=lambda item: -len(item[0])))


@cache
def whole(term: str) -> re.Pattern[str]:
    """A term is no part of a longer word: 「ロール」 is not in 「ロールバック」."""
    before, after = (
        next((script for script in SCRIPTS if re.match(script, edge)), "$^")
        for edge in (term[0], term[-1])
    )
    return re.compile(f"(?<!{before}){re.escape(term)}(?!{after})")


@cache
def stem(word: str) -> str:
    return str(STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def stems(text: str) -> list[str]:
    """Plural, capital letter and verb form make no difference between two stems."""
    return [stem(word) for word in words(text)]


def says(text: str, term: str) -> bool:
    """The last word of a term may be inflected: route tables, but not routing table."""
    (*first, last), said = words(term), words(text)
    size = len(first)
    return any(
        said[i : i + size] == first and stem(word) == stem(last)
        for i, word in enumerate(said[size:])
    )


def unused(source: str, target: str, terms: Mapping[str, tuple[str, ...]]) -> str:
    """Name a term of `source` that `target` calls something else. Longer terms come first."""
    for term, accepted in terms.items():
        if term in source and whole(term).search(source):
            source = whole(term).sub("\ufffc", source)
            if not any(says(target, english) for english in accepted):
                return f"{term} is called {' or '.join(dict.fromkeys(accepted))} in the glossary"
    return ""
