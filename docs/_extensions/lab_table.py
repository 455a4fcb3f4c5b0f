"""What the lab does, as its code tells: `lab-table`, `lab-operations` and `lab-missing`.

`lab-table` shows the patches of the services named (of all others, when none is named) from
examples/awslab/README.md; `lab-operations` counts operations per service and `lab-missing` names
those that a service lacks, from operations.json. `make record` writes both files from the code.
The sentences are English; the Japanese ones are in locale/ja/LC_MESSAGES/sphinx.po.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

FOLDER = Path(__file__).parents[2] / "examples" / "awslab"
README = FOLDER / "README.md"
OPERATIONS = FOLDER / "operations.json"


def table_rows(text: str) -> list[list[str]]:
    """The cells of the generated table, heading first."""
    table = text.partition("<!-- table -->\n")[2].partition("<!-- end -->")[0]
    lines = [line for line in table.splitlines() if not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def inline(text: str) -> Iterator[nodes.Node]:
    """Text with `code` as nodes."""
    for position, part in enumerate(text.split("`")):
        if part:
            yield nodes.literal("", part) if position % 2 else nodes.Text(part)


class LabTable(SphinxDirective):
    optional_arguments = 20
    has_content = False

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(README))
        heading, *rows = table_rows(README.read_text(encoding="utf-8"))
        known = {cells[0] for cells in rows}
        wanted = set(self.arguments)
        if wanted - known:
            raise self.error(f"no patches of {sorted(wanted - known)}; there are {sorted(known)}")
        shown = [cells for cells in rows if not wanted or cells[0] in wanted]
        return [as_table([[_(cell) for cell in cells] for cells in [heading, *shown]])]


class LabOperations(SphinxDirective):
    has_content = False

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(OPERATIONS))
        heading = [
            _("Service"),
            _("Operations of AWS"),
            _("Answered by the lab"),
            _("Brought by the lab"),
            _("Changed by the lab"),
        ]
        rows = [
            [
                f"`{service}`",
                *(str(found[key]) for key in ("all", "answered", "brought", "changed")),
            ]
            for service, found in operations().items()
        ]
        return [as_table([heading, *rows])]


class LabMissing(SphinxDirective):
    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(OPERATIONS))
        paragraph = nodes.paragraph(classes=["lab-missing"], translatable=False)
        for position, name in enumerate(operations()[self.arguments[0]]["missing"]):
            paragraph += [nodes.Text(", " if position else ""), nodes.literal("", name)]
        return [paragraph]


def operations() -> dict[str, dict[str, Any]]:
    found = json.loads(OPERATIONS.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


Cell = str | list[nodes.paragraph]


def as_table(rows: Sequence[Sequence[Cell]], *classes: str) -> nodes.table:
    """A table of texts that are translated already, or of paragraphs; the heading comes first."""
    heading, *body = rows
    group = nodes.tgroup(cols=len(heading))
    group += [nodes.colspec(colwidth=1) for _column in heading]
    group += nodes.thead("", row(heading))
    group += nodes.tbody("", *map(row, body))
    return nodes.table("", group, classes=[*classes])


def row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row(
        "", *(nodes.entry("", *(c if isinstance(c, list) else [as_paragraph(c)])) for c in cells)
    )


def as_paragraph(text: str) -> nodes.paragraph:
    return nodes.paragraph("", "", *inline(text))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("lab-table", LabTable)
    app.add_directive("lab-operations", LabOperations)
    app.add_directive("lab-missing", LabMissing)
    return {"version": "1", "parallel_read_safe": True}
