"""The directive `lab-table`: what the lab adds to moto, as examples/awslab/README.md has it.

The README is written from the code. Its sentences are English; the Japanese ones are in
locale/ja/LC_MESSAGES/sphinx.po.
"""

from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

README = Path(__file__).parents[2] / "examples" / "awslab" / "README.md"


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
    has_content = False

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(README))
        rows = table_rows(README.read_text(encoding="utf-8"))
        return [as_table([[_(cell) for cell in cells] for cells in rows])]


def as_table(rows: list[list[str]]) -> nodes.table:
    """A table of texts that are translated already; the first row is the heading."""
    heading, *body = rows
    group = nodes.tgroup(cols=len(heading))
    group += [nodes.colspec(colwidth=1) for _column in heading]
    group += nodes.thead("", row(heading))
    group += nodes.tbody("", *map(row, body))
    return nodes.table("", group)


def row(cells: list[str]) -> nodes.row:
    return nodes.row(
        "", *(nodes.entry("", nodes.paragraph("", "", *inline(cell))) for cell in cells)
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("lab-table", LabTable)
    return {"version": "1", "parallel_read_safe": True}
