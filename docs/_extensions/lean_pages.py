"""Lean pages: no span for tokens without colour, no file that the page does not use, short scripts.

sphinx-design brings 8 KiB of CSS for a few rules: those of the components in use are in site.css,
and a test fails when a page uses another one. Sphinx's own scripts serve its search and what it
highlights, which this site does without (site_search.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rjsmin
from pygments.formatters import HtmlFormatter
from pygments.token import Comment, Generic, Keyword, Name, Number, String, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge
from sphinx.util.typing import ExtensionMetadata

COLOURED = (
    Comment,
    Generic,
    Keyword,
    Number,
    String,
    Name.Class,
    Name.Decorator,
    Name.Function,
    Name.Tag,
)
NEVER = (
    "sphinx-design.min.css",
    "design-tabs.js",
    "doctools.js",
    "sphinx_highlight.js",
    "translations.js",
)
NEVER_FOR_SEARCH = ("clipboard.min.js", "copybutton.js", "copybutton.css")  # it shows no code
SHORTENED = ("copybutton.js", "language.js", "search/*.js")


class LeanFormatter(HtmlFormatter):
    """Blocks that a keyboard can scroll, with a class only on tokens that have a colour."""

    def _get_css_class(self, ttype: _TokenType) -> str:
        coloured = any(ttype in kind for kind in COLOURED)
        return str(super()._get_css_class(ttype)) if coloured else ""

    def _wrap_pre(self, inner: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        for number, part in super()._wrap_pre(inner):
            yield number, part.replace("<pre>", '<pre tabindex="0">', 1) if number == 0 else part


def drop_files(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    unwanted = NEVER + (NEVER_FOR_SEARCH if page == "search" else ())
    for kind in ("css_files", "script_files"):
        context[kind] = [
            file
            for file in context.get(kind, [])
            if not str(getattr(file, "filename", file)).partition("?")[0].endswith(unwanted)
        ]


def shorten_scripts(app: Sphinx, error: Exception | None) -> None:
    """Without comments and indentation; licences, marked with `!`, stay."""
    if error is not None or app.builder.name != "html":
        return
    for pattern in SHORTENED:
        for script in Path(app.outdir, "_static").glob(pattern):
            text = script.read_text(encoding="utf-8")
            script.write_text(rjsmin.jsmin(text, keep_bang_comments=True), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    PygmentsBridge.html_formatter = LeanFormatter
    app.connect("html-page-context", drop_files, priority=900)
    app.connect("build-finished", shorten_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
