"""The catalog of the command line, held against its program: `python -m checks.messages`.

The texts of examples/sagemaker_cli/smcli, and those of Click that it shows, are English; the
catalog gives them in Japanese. Both are compared by the rules of the pages' catalogs, with the
Japanese as the source. `--update` takes new texts into the catalog and compiles it.
"""

import argparse
import string
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import polib
from babel.messages.extract import extract_from_dir

from checks.catalogs import Problem, compare, report
from checks.glossary import Terms, read_terms

PROGRAM = Path("examples/sagemaker_cli/smcli")
CATALOG = PROGRAM / "locale" / "ja" / "LC_MESSAGES" / "smcli.po"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
HEADER = {
    "Project-Id-Version": "smcli",
    "Language": "ja",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}
Texts = dict[str, str]  # by singular: the plural, or nothing


def extract(folder: Path) -> Texts:
    """The texts that the Python files of a folder mark."""
    found: Texts = {}
    for _file, _line, message, _comments, _context in extract_from_dir(
        str(folder), [("**.py", "python")], keywords=KEYWORDS
    ):
        singular, plural = message if isinstance(message, tuple) else (message, "")
        found[singular] = found.get(singular) or plural
    return found


def wanted(program: Path) -> Texts:
    return extract(Path(click.__file__).parent) | extract(program)


def refreshed(catalog: polib.POFile, texts: Texts) -> polib.POFile:
    """The catalog with an entry for each text, and no other; new ones are empty."""
    known = {entry.msgid: entry for entry in catalog}
    fresh = polib.POFile(wrapwidth=0)
    fresh.metadata = HEADER
    for singular in sorted(texts):
        plural, old = texts[singular], known.get(singular)
        entry = polib.POEntry(msgid=singular, tcomment=old.tcomment if old else "")
        if plural:
            entry.msgid_plural = plural
            entry.msgstr_plural = {0: old.msgstr_plural.get(0, "") if old else ""}
        else:
            entry.msgstr = old.msgstr if old else ""
        fresh.append(entry)
    return fresh


def japanese(entry: polib.POEntry) -> str:
    return str(entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr)


def fields(text: str) -> list[str]:
    """The fields of a text for str.format, and its old ones for `%`."""
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        named = ["not a format"]
    return sorted(named)


def problems_of(entry: polib.POEntry, terms: Terms) -> Iterator[tuple[str, str]]:
    said = japanese(entry)
    if not said.strip():
        yield "empty", "not translated"
        return
    english = entry.msgid_plural or entry.msgid
    if entry.fuzzy:
        yield "fuzzy", "read the translation again, then remove the fuzzy mark"
    if fields(english) != fields(said):
        yield "fields", f"{fields(english)} in English, {fields(said)} in Japanese"
    allowed = {
        rule.strip()
        for line in entry.tcomment.splitlines()
        if line.startswith("gate: allow ")
        for rule in line.removeprefix("gate: allow ").split(",")
    }
    broken = dict(compare(said, english, terms))
    yield from ((rule, what) for rule, what in broken.items() if rule not in allowed)
    for rule in sorted(allowed - broken.keys()):
        yield "override", f"nothing here breaks the rule {rule}: remove it from the comment"


def check(catalog: Path, texts: Texts, terms: Terms) -> list[Problem]:
    """Everything that is wrong with the catalog."""
    if not catalog.exists():
        return [Problem(catalog, 0, "no-catalog", "`make locale`, then translate")]
    entries = polib.pofile(str(catalog), wrapwidth=0)
    known = {entry.msgid: entry.msgid_plural for entry in entries}
    problems = [
        Problem(catalog, 0, "missing", "not in the catalog: `make locale`, then translate", text)
        for text in sorted(texts.keys() - known.keys())
    ]
    for entry in entries:
        broken = list(problems_of(entry, terms))
        if entry.msgid not in texts or entry.msgid_plural != texts[entry.msgid]:
            broken = [("extra", "no longer in the program: `make locale`")]
        problems += [
            Problem(catalog, entry.linenum, rule, what, entry.msgid) for rule, what in broken
        ]
    compiled = catalog.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != entries.to_binary():
        problems.append(Problem(compiled, 0, "stale", "`make locale` compiles it"))
    return problems


def update(catalog: Path, texts: Texts) -> None:
    old = polib.pofile(str(catalog)) if catalog.exists() else polib.POFile()
    catalog.parent.mkdir(parents=True, exist_ok=True)
    refreshed(old, texts).save(str(catalog))
    compiled = polib.pofile(str(catalog), wrapwidth=0).to_binary()
    catalog.with_suffix(".mo").write_bytes(compiled)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="checks.messages", description=__doc__)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args(arguments)
    texts = wanted(PROGRAM)
    if options.update:
        update(CATALOG, texts)
        return 0
    docs, english = Path("docs"), Path("locale/en/LC_MESSAGES")
    terms = read_terms(docs / "reference/glossary.md", english / "reference/glossary.po")
    return report("messages of smcli", check(CATALOG, texts, terms))


if __name__ == "__main__":
    sys.exit(main())
