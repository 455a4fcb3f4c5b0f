"""The chart extension: it draws what a run measured, in the language and colours of the page."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import chart
import polib
import pytest
from sphinx.testing.util import SphinxTestApp

CONF = """
extensions = ["myst_parser", "chart", "diagram"]
myst_enable_extensions = ["colon_fence"]
language = "ja"
html_theme = "basic"
locale_dirs = ["locale"]
gettext_compact = False
exclude_patterns = ["_build"]
"""
TABLE = {"columns": ["slice", "even", "skewed"], "rows": [[0, 5, 0], [1, 5, 7], [2, 5, 8]]}
FIGURES = {"statements": [{"rows": 3}, TABLE], "note": "x", **TABLE}
BARS = """:::{chart} rows
:title: 行数
:alt: 行数の偏り。
:data: topic/run statements/1
:x: slice | スライス
:y: 行数
even | 均等
skewed | KEY
:::
"""
ENGLISH = {"行数": "Rows", "行数の偏り。": "A skew.", "スライス": "Slice", "均等": "Even"}
SVG = "{http://www.w3.org/2000/svg}"

Build = Callable[..., SphinxTestApp]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """`build(text, language="en", draw=True)`: one page that holds the text."""
    examples, docs = tmp_path / "examples" / "topic", tmp_path / "docs"
    examples.mkdir(parents=True)
    docs.mkdir()
    (examples / "run.figures.json").write_text(json.dumps(FIGURES), encoding="utf-8")
    (docs / "conf.py").write_text(CONF, encoding="utf-8")
    monkeypatch.setattr(chart, "EXAMPLES", tmp_path / "examples")
    catalog = polib.POFile()
    catalog.metadata = {"Content-Type": "text/plain; charset=utf-8"}
    catalog.extend(polib.POEntry(msgid=ja, msgstr=en) for ja, en in ENGLISH.items())
    (docs / "locale/en/LC_MESSAGES").mkdir(parents=True)
    catalog.save(str(docs / "locale/en/LC_MESSAGES/index.po"))

    apps: list[SphinxTestApp] = []

    def run(text: str, language: str = "ja", *, draw: bool = True) -> SphinxTestApp:
        (docs / "index.md").write_text(f"# 題\n\n{text}", encoding="utf-8")
        settings = {"language": language, "diagram_render": draw}
        app = SphinxTestApp("html", srcdir=docs, confoverrides=settings, freshenv=True)
        apps.append(app)
        app.build()
        return app

    yield run
    for app in apps:
        app.cleanup()  # the nodes that it has registered would be known to the next test


def drawn(app: SphinxTestApp, name: str) -> ElementTree.Element:
    path = Path(app.srcdir, "_diagrams", "index", f"{name}.{app.config.language}.svg")
    return ElementTree.fromstring(path.read_text(encoding="utf-8").partition("\n")[2])


def texts(svg: ElementTree.Element) -> list[str]:
    return [str(text.text) for text in svg.iter(f"{SVG}text")]


def heights(svg: ElementTree.Element, name: str) -> list[float]:
    """How high each bar of a series is; the first such path is the bar of the first place."""
    found = []
    for path in svg.iter(f"{SVG}path"):
        if path.get("class") == name:
            ys = [float(part) for part in path.attrib["d"].split() if part[0] in "-0123456789"]
            found.append(max(ys[1::2]) - min(ys[1::2]))
    return found


def test_bars_are_as_high_as_the_numbers(build: Build) -> None:
    app = build(BARS)
    svg = drawn(app, "rows")
    assert app.warning.getvalue() == ""
    even, skewed = heights(svg, "series-1"), heights(svg, "series-2")
    assert len(even) == len(skewed) == 4  # three bars and the box of the legend
    assert even[0] == even[1] == even[2] > 0
    assert skewed[0] == 0
    assert skewed[1] / skewed[2] == pytest.approx(7 / 8, abs=0.01)
    assert even[0] / skewed[2] == pytest.approx(5 / 8, abs=0.01)


def test_the_words_are_those_of_the_language(build: Build) -> None:
    japanese, english = drawn(build(BARS), "rows"), drawn(build(BARS, "en"), "rows")
    assert {"スライス", "行数", "均等", "KEY", "0", "1", "2"} <= set(texts(japanese))
    assert {"Slice", "Rows", "Even", "KEY", "0", "1", "2"} <= set(texts(english))
    assert [english.findtext(f"{SVG}{tag}") for tag in ("title", "desc")] == ["Rows", "A skew."]


def test_places_get_names_and_the_table_may_be_at_the_top(build: Build) -> None:
    named = BARS.replace(" statements/1", "").replace(":::\n", "1 = 二番目 / 中\n:::\n")
    svg = drawn(build(named), "rows")
    assert {"0", "二番目", "中", "2"} <= set(texts(svg))
    assert "1" not in texts(svg)


def test_only_classes_give_colours(build: Build) -> None:
    svg = drawn(build(BARS), "rows")
    painted = {e.get(name) for e in svg.iter() for name in ("fill", "stroke") if e.get(name)}
    assert painted <= {"currentColor", "none"}
    assert {path.get("class") for path in svg.iter(f"{SVG}path")} == {
        "line",
        "series-1",
        "series-2",
    }


def test_the_committed_picture_is_shown_and_a_stale_one_is_reported(build: Build) -> None:
    app = build(BARS)
    page = Path(app.outdir, "index.html")
    assert "chart-rows-title" in page.read_text(encoding="utf-8")
    assert "stale" not in build(BARS, draw=False).warning.getvalue()
    figures = chart.EXAMPLES / "topic" / "run.figures.json"
    figures.write_text(figures.read_text(encoding="utf-8").replace("[2, 5, 8]", "[2, 5, 9]"))
    assert "chart index rows is stale in ja: run make diagrams" in (
        build(BARS, draw=False).warning.getvalue()
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (":x: slice | スライス\n", "", "add :x:"),
        ("topic/run", "topic/none", "none.figures.json is missing: run make record"),
        ("statements/1", "statements/9", "the figures have nothing at statements/9 (at 9)"),
        ("statements/1", "note", "at note there is no table with columns and rows"),
        ("even | 均等", "odd | 均等", "there is no column odd; there are slice, even, skewed"),
        ("even | 均等\nskewed | KEY\n", "", "write one to 4 lines"),
        (":alt: 行数の偏り。\n", "", "add :alt:"),
    ],
)
def test_what_a_chart_lacks_is_named(build: Build, old: str, new: str, reason: str) -> None:
    assert reason in build(BARS.replace(old, new)).warning.getvalue()
