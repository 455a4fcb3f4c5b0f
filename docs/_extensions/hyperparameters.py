"""The directive `hyperparameters`: one group of what the built-in XGBoost algorithm accepts.

    :::{hyperparameters} tree
    :::

What is accepted, required or an alias comes from the rules by which the lab refuses a job, the
rest from docs/_data/xgboost-hyperparameters.toml. The sentences there are Japanese, and the catalog
of the page translates them. The group `linear` shows the defaults that booster=gblinear changes.
"""

import runpy
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from lab_table import as_paragraph, as_table, inline
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).parents[2]
DATA = ROOT / "docs" / "_data" / "xgboost-hyperparameters.toml"
CODE = ROOT / "examples" / "awslab" / "services" / "sagemaker" / "xgboost_rules.py"
LINEAR = "linear"
PREFIX = "validation:"


def read_rows() -> dict[str, dict[str, Any]]:
    """The rows of all groups by name."""
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def read_rules() -> dict[str, Any]:
    """What the module of the rules defines; it imports nothing of the lab."""
    return runpy.run_path(str(CODE))


def accepted(rule: Any) -> str:
    """What the container lets pass: bounds as it prints them itself, or all values."""
    values = rule.allowed if isinstance(rule.allowed, list) else [rule.allowed]
    if all(str(value).startswith(PREFIX) for value in values):
        return f"`{PREFIX}` " + _("and the name of a metric")
    if rule.read.__name__ == "literal":
        kind = _("list or tuple of") if len(values) > 1 else _("lists of integers in a list:")
    else:
        kinds = {"int": _("integer"), "float": _("number"), "items_of": _("separated by commas:")}
        kind = kinds.get(rule.read.__name__, "")
    return f"{kind} {quoted(*values)}".strip()


def quoted(*values: object) -> str:
    return ", ".join(f"`{value}`" for value in values)


class Hyperparameters(SphinxDirective):
    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        group = self.arguments[0]
        self.env.note_dependency(str(DATA))
        self.env.note_dependency(str(CODE))
        rows = read_rows()
        if group == LINEAR:
            table = linear_table(rows)
        elif shown := {name: row for name, row in rows.items() if row["group"] == group}:
            table = self.group_table(shown)
        else:
            known = sorted({LINEAR, *(row["group"] for row in rows.values())})
            raise self.error(f"no hyperparameters in the group {group}; there are {known}")
        return [table]

    def group_table(self, rows: dict[str, dict[str, Any]]) -> nodes.table:
        rules = read_rules()
        heading = [_("Hyperparameter"), _("Accepted"), _("Default"), _("Effect")]
        body = [self.cells(name, row, rules) for name, row in rows.items()]
        return as_table([heading, *body], "hyperparameters")

    def cells(
        self, name: str, row: dict[str, Any], rules: dict[str, Any]
    ) -> list[list[nodes.paragraph]]:
        aliases = [alias for alias, meant in rules["ALIASES"].items() if meant == name]
        first = paragraphs(quoted(name), labelled(_("alias"), quoted(*aliases)))
        tuned = "–".join(str(bound) for bound in row.get("tune", ()))
        values = paragraphs(accepted(rules["RULES"][name]), labelled(_("AWS tunes within"), tuned))
        default = paragraphs(
            _("required") if name in rules["REQUIRED"] else "", quoted(*only(row, "default"))
        )
        default += self.sentences(row, "otherwise")
        default += paragraphs(labelled(_("in AWS's guide:"), quoted(*only(row, "aws"))))
        effect = self.sentences(row, "effect", "note")
        refused = quoted(*row.get("refused", ()))
        effect += paragraphs(labelled(_("XGBoost 3.2.0 refuses:"), refused))
        return [first, values, default, effect]

    def sentences(self, row: dict[str, Any], *keys: str) -> list[nodes.paragraph]:
        """The sentences of a row as paragraphs that the catalog of the page translates."""
        found = []
        for text in only(row, *keys):
            paragraph = nodes.paragraph(text, "", *inline(text))
            paragraph.source, paragraph.line = self.env.doc2path(self.env.docname), self.lineno
            found.append(paragraph)
        return found


def linear_table(rows: dict[str, dict[str, Any]]) -> nodes.table:
    """The defaults that are others when the booster is linear."""
    body = [
        [f"`{text}`" for text in (name, row["gblinear"], row["default"])]
        for name, row in rows.items()
        if "gblinear" in row
    ]
    return as_table([[_("Hyperparameter"), "`gblinear`", "`gbtree`, `dart`"], *body])


def only(row: dict[str, Any], *keys: str) -> list[str]:
    """The values of these keys, where the row has them."""
    return [str(row[key]) for key in keys if key in row]


def labelled(label: str, text: str) -> str:
    """The text after its label; nothing when there is no text."""
    return f"{label} {text}" if text else ""


def paragraphs(*texts: str) -> list[nodes.paragraph]:
    return [as_paragraph(text) for text in texts if text]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("hyperparameters", Hyperparameters)
    return {"version": "1", "parallel_read_safe": True}
