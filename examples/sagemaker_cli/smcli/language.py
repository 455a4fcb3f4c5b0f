"""Messages in the language of the reader, from the gettext catalogs beside this file.

Click's own messages go through the same domain, so one catalog holds all of them. Texts that are
given to Click while a module is imported are marked with `N_` and translated when they are shown.
"""

import gettext
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

DOMAIN = "smcli"
LANGUAGES = ("en", "ja")
gettext.bindtextdomain(DOMAIN, str(Path(__file__).parent / "locale"))
gettext.textdomain(DOMAIN)
_ = gettext.gettext
ngettext = gettext.ngettext


def N_(text: str) -> str:  # noqa: N802  (gettext's own name)
    """Mark a text for the catalog; it is translated where it is shown."""
    return text


def choose(arguments: Sequence[str]) -> None:
    """Take `--lang` before anything is shown; without it the locale decides, as gettext does."""
    split = [part for argument in arguments for part in argument.split("=", 1)]
    for option, value in pairwise(split):
        if option == "--lang" and value in LANGUAGES:
            os.environ["LANGUAGE"] = value


@contextmanager
def english() -> Iterator[None]:
    """What scripts read is the same in every language."""
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = "en"
    try:
        yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before
