"""The chart extension: it draws what a run measured, in the language and colours of the page."""

import json
import re
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
CURVES = {
    "columns": ["round", "loss", "seen"],
    "rows": [[0, 0.001, 5], [10, 0.01, None], [100, 0.1, 3]],
}
GRID = {
    "columns": ["rounds", "depth", "loss"],
    "rows": [[10, 1, 0.5], [20, 1, 0.4], [10, 2, 0.4567], [20, 2, 0.9]],
}
POINTS = {
    "columns": ["shap", "feature", "value"],
    "rows": [[-1.0, "age", 0.0], [1.0, "age", 1.0], [0.5, "size", 1.0], [0.5, "size", 0.5]],
}
TRIALS = {"columns": ["eta", "depth", "auc"], "rows": [[0.01, 2, 0.7], [0.1, 6, 0.9], [1, 4, 0.8]]}
FIGURES = {
    "statements": [{"rows": 3}, TABLE],
    "note": "x",
    "curves": CURVES,
    "grid": GRID,
    "points": POINTS,
    "trials": TRIALS,
    **TABLE,
}
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
LINES = (
    BARS.replace("statements/1", "curves")
    .replace("even | 均等\nskewed | KEY", "loss | 損失\nseen | 点 | dots")
    .replace("slice | スライス", "round | 回\n:form: lines")
)
HEAT = """:::{chart} rows
:form: heat
:title: 損失
:alt: 損失の表。
:data: topic/run grid
:x: rounds | 回
:y: depth | 深さ
:best: low
loss | 損失
:::
"""
DOTS = """:::{chart} rows
:form: dots
:title: 値
:alt: 値の点。
:data: topic/run points
:x: shap | SHAP
:y: feature | 特徴量
value | 小さい | 大きい
age = 年齢
:::
"""
PARALLEL = """:::{chart} rows
:form: parallel
:title: 試行
:alt: 試行の線。
:data: topic/run trials
:log: eta
eta | eta
depth | 深さ
auc | AUC
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


def shapes(svg: ElementTree.Element, name: str) -> list[list[float]]:
    """The numbers in the path of each shape of a class."""
    return [
        [float(found) for found in re.findall(r"-?[\d.]+", path.attrib["d"])]
        for path in svg.iter(f"{SVG}path")
        if path.get("class") == name
    ]


def test_lines_and_dots_lie_where_the_numbers_are(build: Build) -> None:
    app = build(LINES)
    svg = drawn(app, "rows")
    assert app.warning.getvalue() == ""
    line = next(points for points in shapes(svg, "series-1") if len(points) == 6)
    assert line[2] - line[0] == pytest.approx((line[4] - line[0]) / 10, abs=0.2)
    assert line[1] > line[3] > line[5]
    (dots,) = shapes(svg, "series-2")
    assert len(dots) == 3 * 3  # two points, without the one that is null, and the legend's
    assert dots[0] == line[0]
    assert dots[3] == line[4]
    assert {"損失", "点"} <= set(texts(svg))


def test_on_logarithmic_axes_powers_of_ten_are_equally_far(build: Build) -> None:
    bare = LINES.replace("seen | 点 | dots\n", "")
    svg = drawn(build(bare.replace(":form:", ":log: y\n:form:")), "rows")
    line = next(points for points in shapes(svg, "series-1") if len(points) == 6)
    assert line[1] - line[3] == pytest.approx(line[3] - line[5], abs=0.2)
    assert {"10⁻³", "10⁻²", "0.1"} <= set(texts(svg))


def test_a_legend_takes_the_columns_that_have_room(build: Build) -> None:
    def places(label: str) -> set[str]:
        lines = "".join(f"loss | {label} {number}\n" for number in range(5))
        svg = drawn(build(LINES.replace("loss | 損失\nseen | 点 | dots\n", lines)), "rows")
        return {text.attrib["x"] for text in svg.iter(f"{SVG}text") if label in str(text.text)}

    assert len(places("loss")) == 4
    assert len(places("the loss by name")) == 2


def test_an_axis_may_start_at_the_data(build: Build) -> None:
    points = LINES.replace("loss | 損失\n", "").replace("| dots", "")

    def heights(text: str) -> list[float]:
        (line,) = shapes(drawn(build(text), "rows"), "series-1")
        return [line[1], line[3]]

    whole = heights(points)
    from_data = heights(points.replace(":form:", ":from: data\n:form:"))
    assert whole[1] - whole[0] == pytest.approx((from_data[1] - from_data[0]) * 2 / 5, rel=0.1)


def test_a_heat_map_shows_each_number_and_frames_the_best(build: Build) -> None:
    svg = drawn(build(HEAT), "rows")
    assert {"0.500", "0.400", "0.457", "0.900", "1", "2", "10", "20"} <= set(texts(svg))
    (best,) = shapes(svg, "best")
    (lowest,) = [cell for cell in shapes(svg, "heat-1") if cell[:2] == best[:2]]
    assert lowest[:4] == best[:4]
    assert len(shapes(svg, "heat-6")) == 1
    other = drawn(build(HEAT.replace("best: low", "best: high")), "rows")
    assert shapes(other, "best")[0][:4] == shapes(other, "heat-6")[0][:4]


def test_dots_stand_in_their_row_and_colour(build: Build) -> None:
    svg = drawn(build(DOTS), "rows")
    assert {"年齢", "size", "小さい", "大きい", "SHAP"} <= set(texts(svg))
    low, middle, high = (shapes(svg, f"shade-{i}")[0] for i in (1, 3, 5))
    assert [len(found) // 3 for found in (low, middle, high)] == [2, 1, 3]  # legend: low and high
    assert low[0] < middle[0] == high[0] < high[3]
    assert low[1] == high[4] < min(middle[1], high[1])  # age is above size
    assert middle[1] != high[1]  # two dots at one place are both seen


def test_parallel_lines_are_coloured_by_the_last_axis(build: Build) -> None:
    svg = drawn(build(PARALLEL), "rows")
    assert {"0.01", "1", "2", "6", "0.7", "0.9", "eta", "深さ", "AUC"} <= set(texts(svg))
    (worst,), (best,) = shapes(svg, "shade-1"), shapes(svg, "shade-5")
    assert worst[1] == worst[3] == worst[5] > best[1] > best[3] == best[5]
    (middle,) = shapes(svg, "shade-3")
    assert worst[1] - best[1] == pytest.approx(best[1] - middle[1], abs=0.2)  # logarithmic


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        (LINES, "loss | 損失\nseen | 点 | dots\n", "", "write one to 7 lines"),
        (LINES, "| dots", "| stars", "seen: behind the label only `dots` may stand, in lines"),
        (BARS, "| KEY", "| KEY | dots", "skewed: behind the label only `dots` may stand, in lines"),
        (BARS, "statements/1", "curves", "there is no column slice"),
        (HEAT, "loss | 損失\n", "", "write one line for what the cells or dots show"),
        (HEAT, "best: low", "best: top", '"top" unknown; choose from "low"'),
        (DOTS, "shap | SHAP", "feature | SHAP", "'age' is not a number"),
        (PARALLEL, "depth | 深さ\nauc | AUC\n", "", "write two to 7 lines"),
    ],
)
def test_what_another_form_lacks_is_named(
    build: Build, text: str, old: str, new: str, reason: str
) -> None:
    assert reason in build(text.replace(old, new)).warning.getvalue()


def test_a_logarithmic_axis_refuses_zero(build: Build) -> None:
    bad = PARALLEL.replace("trials", "curves").replace("eta", "round").replace("depth", "loss")
    reason = "round: a logarithmic axis has no place for 0"
    assert reason in build(bad.replace("auc | AUC\n", "")).warning.getvalue()


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
