"""The sidebar's tree, collapsed to the open branch.

furo asks for the whole tree on every page, which makes build time and page size grow with the
square of the site. The hook wraps the page's toctree function before furo (priority 500) calls it.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def collapse(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    toctree = context.get("toctree")
    if toctree:
        context["toctree"] = lambda **options: toctree(**{**options, "collapse": True})


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", collapse, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
