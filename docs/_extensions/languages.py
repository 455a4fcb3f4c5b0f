"""One source, two sites: per-language settings, and the same page in the other language."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

LANGUAGES = {"ja": "日本語", "en": "English"}
TITLES = {"ja": "AWS 機械学習 運用ノート", "en": "AWS ML Operations Notes"}


def choose(app: Sphinx, config: Config) -> None:
    """`-D language=en` is applied after conf.py has run, so what depends on it is set here."""
    config["project"] = config["html_title"] = TITLES[config.language]


def alternates(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """The page in each language.

    `href` is relative, for readers: it works under any sub-path and from a folder. `address` is
    what search engines are told: absolute where SITE_URL is set, as they want it.
    """
    context["alternates"] = []
    if page not in app.env.found_docs and page != "search":
        return
    target = app.builder.get_target_uri(page)
    up = "../" * (target.count("/") + 1)
    site = app.config.site_url
    for code, name in LANGUAGES.items():
        href = f"{up}{code}/{target}"
        context["alternates"].append(
            {
                "code": code,
                "name": name,
                "current": code == app.config.language,
                "href": href,
                "address": f"{site.rstrip('/')}/{code}/{target}" if site else href,
            }
        )


def write_entrance(app: Sphinx, error: Exception | None) -> None:
    """Beside the two sites, a page that sends a browser to its language."""
    if error is None and app.builder.name == "html":
        entrance = Path(app.srcdir, "_templates", "entrance.html").read_text(encoding="utf-8")
        Path(app.outdir).parent.joinpath("index.html").write_text(entrance, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("site_url", "", "html", types=frozenset({str}))
    app.connect("config-inited", choose, priority=100)
    app.connect("html-page-context", alternates)
    app.connect("build-finished", write_entrance)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
