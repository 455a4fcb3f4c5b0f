"""Labels of the directives, the templates and the lab's table have their Japanese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from lab_table import README, table_rows

ROOT = Path(__file__).parents[2]
CATALOG = polib.pofile(str(ROOT / "locale" / "ja" / "LC_MESSAGES" / "sphinx.po"))
JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
CODE = re.compile(r"`[^`]*`")


def labels_in_code() -> Iterator[str]:
    for path in (ROOT / "docs" / "_extensions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        yield str(argument.value)


def labels_in_templates() -> Iterator[str]:
    for path in (ROOT / "docs" / "_templates").rglob("*.html"):
        yield from re.findall(r"_\('([^']+)'\)", path.read_text(encoding="utf-8"))


def labels_in_table() -> Iterator[str]:
    for cells in table_rows(README.read_text(encoding="utf-8")):
        yield from (cell for cell in cells[2:] if re.search(r"[a-z]", CODE.sub("", cell)))


def test_every_label_has_its_japanese() -> None:
    japanese = {entry.msgid: entry.msgstr for entry in CATALOG}
    labels = {*labels_in_code(), *labels_in_templates(), *labels_in_table()}
    assert len(labels) > 30
    missing = [label for label in labels if not JAPANESE.search(japanese.get(label, ""))]
    assert missing == []


def test_code_in_a_label_stays_as_it_is() -> None:
    for entry in CATALOG:
        assert sorted(CODE.findall(entry.msgid)) == sorted(CODE.findall(entry.msgstr)), entry.msgid
        placeholders = re.findall(r"%\(\w+\)s|%s", entry.msgid)
        assert sorted(placeholders) == sorted(re.findall(r"%\(\w+\)s|%s", entry.msgstr))


def test_no_entry_of_the_table_is_left_over() -> None:
    """A sentence of the lab that is gone from the code is gone from the catalog."""
    known = {*labels_in_table()}
    stale = [e.msgid for e in CATALOG if "`" in e.msgid and e.msgid not in known]
    assert stale == []
