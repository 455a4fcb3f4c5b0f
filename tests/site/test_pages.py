"""What every built page must have: language, links to its other language, a small weight."""

import re
from pathlib import Path

import pytest
from bench.weight import weight
from bs4 import BeautifulSoup
from languages import TITLES

KIB = 1024
GENERATED = {"genindex.html", "search.html"}
# Rules that sphinx-design's own style sheet would bring; ours covers only these.
STYLED = {
    "sd-card",
    "sd-card-body",
    "sd-card-text",
    "sd-card-title",
    "sd-col",
    "sd-container-fluid",
    "sd-d-flex-row",
    "sd-font-weight-bold",
    "sd-row",
    "sd-tab-content",
    "sd-tab-label",
    "sd-tab-set",
}


def pages(site: Path, language: str) -> list[Path]:
    found = sorted((site / language).rglob("*.html"))
    assert len(found) > 5
    return found


def soup_of(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_weighs_at_most_50_kib_with_all_that_it_loads(site: Path, language: str) -> None:
    for page in pages(site, language):
        assert weight(page) <= 50 * KIB, f"{page.name} weighs {weight(page) / KIB:.1f} KiB"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_loads_nothing_from_elsewhere(site: Path, language: str) -> None:
    for page in pages(site, language):
        loading = soup_of(page).select("[src], link[rel~=stylesheet], link[rel~=icon]")
        addresses = [str(tag.get("src") or tag.get("href")) for tag in loading]
        assert [a for a in addresses if re.match(r"(https?:)?//", a)] == [], page


@pytest.mark.parametrize(("language", "other"), [("ja", "en"), ("en", "ja")])
def test_a_page_names_its_language_and_its_other_language(
    site: Path, language: str, other: str
) -> None:
    for page in pages(site, language):
        if page.name in GENERATED:
            continue
        soup = soup_of(page)
        assert soup.html is not None
        assert soup.html["lang"] == language
        assert TITLES[language] in soup.title.text
        assert soup.select_one("meta[name=description]") is not None, page
        hreflangs = {str(t["hreflang"]): str(t["href"]) for t in soup.select("link[hreflang]")}
        assert set(hreflangs) == {"ja", "en", "x-default"}
        same = page.relative_to(site / language)
        for code in ("ja", "en"):
            assert (page.parent / hreflangs[code]).resolve() == site / code / same
        canonical = soup.select_one("link[rel=canonical]")
        assert canonical is not None
        assert (page.parent / str(canonical["href"])).resolve() == page
        switch = {str(a["lang"]): a for a in soup.select(".lang-switch a")}
        assert (page.parent / str(switch[other]["href"])).resolve() == site / other / same
        assert switch[language]["aria-current"] == "true"
        assert not switch[other].has_attr("aria-current")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_only_styled_components_of_sphinx_design_are_used(site: Path, language: str) -> None:
    """site.css replaces sphinx-design's sheet: a new component needs its rules there."""
    used = {
        name
        for page in pages(site, language)
        for tag in soup_of(page).select("[class*=sd-]")
        for name in tag["class"]
        if re.fullmatch(r"sd-[a-z-]+", name) and not re.match(r"sd-(sphinx|g[xy]?|shadow)", name)
    }
    assert used <= STYLED, f"add rules for {used - STYLED} to docs/_static/site.css"


def test_a_sidebar_shows_only_the_open_branch(site: Path) -> None:
    """The navigation hook: sub-pages of other branches are not in the tree."""
    tree = soup_of(site / "ja" / "start" / "lab.html").select_one(".sidebar-tree")
    assert tree is not None
    links = [str(link["href"]) for link in tree.select("a[href]")]
    assert "quickstart.html" in links
    assert all("#" not in link or link == "#" for link in links)


def test_downloads_are_the_shown_text(site: Path) -> None:
    page = site / "en" / "foundations" / "s3-gateway-endpoint.html"
    soup = soup_of(page)
    frames = [frame for frame in soup.select(".example") if frame.select("a[download]")]
    assert len(frames) == 7
    for frame in frames:
        link = frame.select_one("a[download]")
        shown = frame.select_one(".highlight-python pre")
        assert link is not None and shown is not None
        file = (page.parent / str(link["href"])).read_text(encoding="utf-8")
        assert file == shown.get_text()
        assert "[start:" not in file


def test_the_theme_speaks_japanese(site: Path) -> None:
    text = (site / "ja" / "start" / "lab.html").read_text(encoding="utf-8")
    english = [
        "Toggle ",
        ">Contents<",
        ">Menu<",
        ">Expand<",
        "Back to top",
        "On this page",
        "Next<",
    ]
    assert [words for words in english if words in text] == []
