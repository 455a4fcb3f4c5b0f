"""Bar charts of the figures that an example measured, in the colours and font of the page.

    :::{chart} rows-per-slice
    :title: …
    :alt: …
    :data: redshift/distribution statements/4
    :x: slice | スライス
    :y: 行数
    even | EVEN
    key_channel | KEY（販売経路）
    :::

`data` names the example, and within its `.figures.json` the path of a table: an object with
`columns` and `rows`. Each line is a series: its column and its label. A line `value = label` says
how a place on the x axis is called. `make diagrams` draws with matplotlib.
"""

import json
import re
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

from diagram import (
    FONT_SIZE,
    Diagram,
    as_text,
    diagram,
    frame,
    short,
    visit_html,
)
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

EXAMPLES = Path(__file__).parents[2] / "examples"
WIDTH, HEIGHT = 440, 300  # of a picture, in pixels of the page
MARGIN = 8  # on the left, where the reader's font may be wider than the one that was measured
MOST_SERIES = 4
# Drawn in colours that stand for a class; the style sheet chooses what a reader sees.
LINE, TEXT = "#010101", "#020202"
SERIES = [f"#0{number}0303" for number in range(1, MOST_SERIES + 1)]
CLASSES = {LINE: "line", **{colour: f"series-{i}" for i, colour in enumerate(SERIES, 1)}}


class BadChart(Exception):
    """What the author of a chart has to change."""


class chart(diagram):
    """A diagram whose source is the JSON of a specification with the numbers in it."""

    @property
    def plan(self) -> dict[str, Any]:
        found = json.loads(self["source"])
        assert isinstance(found, dict)
        return found

    def labels(self) -> list[str]:
        plan = self.plan
        ticks = [each for each in plan["places"] if isinstance(each, str)]
        return [plan["x"], plan["y"], *(label for label, _ in plan["series"]), *ticks]

    def content(self) -> str:
        texts = json.dumps([self.said(text) for text in self.labels()], ensure_ascii=False)
        return f"{self['source']}\0{texts}"

    def said(self, text: str) -> str:
        return str(self["texts"].get(text, text))

    def render(self) -> str:
        return as_picture(self, plot(self))


def column(table: dict[str, Any], name: str) -> list[Any]:
    if name not in table["columns"]:
        raise BadChart(f"there is no column {name}; there are {', '.join(table['columns'])}")
    place = table["columns"].index(name)
    return [row[place] for row in table["rows"]]


def pair(text: str) -> tuple[str, str]:
    """`name | label`; a name without label is its own."""
    name, _, label = (part.strip() for part in text.partition("|"))
    return name, label or name


def place_name(line: str) -> tuple[str, str]:
    """`value = label`, for a place on the x axis; ` / ` in the label breaks the line."""
    value, _, label = line.partition("=")
    return value.strip(), label.strip()


def find_table(figures: Any, path: str) -> dict[str, Any]:
    """Raises BadChart: at this path is no table."""
    found = figures
    for step in filter(None, path.split("/")):
        try:
            found = found[int(step) if isinstance(found, list) else step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadChart(f"the figures have nothing at {path} (at {step})") from None
    if not isinstance(found, dict) or not {"columns", "rows"} <= found.keys():
        raise BadChart(f"at {path or 'the top'} there is no table with columns and rows")
    return found


def number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadChart(f"{value!r} is not a number") from None


def make_plan(table: dict[str, Any], options: dict[str, str], lines: list[str]) -> dict[str, Any]:
    """What is drawn: the places on the x axis, and the label and the numbers of each series.

    Raises:
        BadChart: the table does not have what the chart asks for.
    """
    name, label = pair(options["x"])
    called = dict(place_name(line) for line in lines if "=" in line)
    xs = [called.get(str(x), x) for x in column(table, name)]
    wanted = [pair(line) for line in lines if line.strip() and "=" not in line]
    if not 1 <= len(wanted) <= MOST_SERIES:
        raise BadChart(f"write one to {MOST_SERIES} lines `column | label`")
    return {
        "x": label,
        "y": options["y"],
        "places": xs,
        "series": [(said, [number(v) for v in column(table, key)]) for key, said in wanted],
    }


class Chart(Diagram):
    kind = chart
    option_spec: ClassVar[dict[str, Any]] = {
        **Diagram.option_spec,
        "data": directives.unchanged_required,
        "x": directives.unchanged_required,
        "y": directives.unchanged_required,
    }

    def source_problem(self) -> str | None:
        missing = [name for name in ("data", "x", "y") if name not in self.options]
        if missing:
            return f"add :{missing[0]}:"
        try:
            self.source()
        except BadChart as error:
            return str(error)
        except OSError as error:
            return f"{error.filename} is missing: run make record"
        return None

    def source(self) -> str:
        name, _, place = self.options["data"].partition(" ")
        path = EXAMPLES / f"{name}.figures.json"
        self.env.note_dependency(str(path))
        table = find_table(json.loads(path.read_text(encoding="utf-8")), place.strip())
        plan = make_plan(table, self.options, list(self.content))
        return json.dumps(plan, ensure_ascii=False)


# --- drawing -------------------------------------------------------------------------------------


def plot(node: chart) -> str:
    """matplotlib's SVG."""
    import io

    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    plan = node.plan
    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": node["name"],
        "font.family": ["Noto Sans CJK JP", "DejaVu Sans"],
        "font.size": FONT_SIZE + 1,  # measured one size larger than shown, as in diagrams
        "text.color": TEXT,
        "axes.labelcolor": TEXT,
        "axes.edgecolor": LINE,
        "xtick.color": LINE,
        "ytick.color": LINE,
        "xtick.labelcolor": TEXT,
        "ytick.labelcolor": TEXT,
        "grid.color": LINE,
        "grid.linewidth": 0.3,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
    }
    with mpl.rc_context(settings):
        figure, axes = pyplot.subplots(
            figsize=(WIDTH / 72, HEIGHT / 72), layout="constrained", dpi=72
        )
        draw_bars(axes, plan, node)
        axes.set_xlabel(node.said(plan["x"]))
        axes.set_title(node.said(plan["y"]), loc="left", fontsize=FONT_SIZE + 1)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _position: shown(value))
        if len(plan["series"]) > 1:
            figure.legend(loc="outside upper center", ncols=2 if len(plan["series"]) > 2 else 4)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)
    return written.getvalue()


def shown(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:g}"


def draw_bars(axes: Any, plan: dict[str, Any], node: chart) -> None:
    places = [
        node.said(each).replace(" / ", "\n") if isinstance(each, str) else each
        for each in plan["places"]
    ]
    series = [(node.said(label), values) for label, values in plan["series"]]
    width = 0.8 / len(series)
    for position, (label, values) in enumerate(series):
        shift = (position - (len(series) - 1) / 2) * width
        spots = [place + shift for place in range(len(places))]
        axes.bar(spots, values, width * 0.92, label=label, color=SERIES[position])
    axes.set_xticks(range(len(places)), [str(each) for each in places])


def as_picture(node: chart, drawn: str) -> str:
    """Keep the geometry of matplotlib's file; classes stand for its colours."""
    svg = frame(node, -MARGIN, 0, WIDTH + MARGIN, HEIGHT)
    for element in ElementTree.fromstring(drawn).iter():
        tag = element.tag.rpartition("}")[2]
        style = styles(element.get("style", ""))
        if tag == "path" and (kept := painted(element, style)):
            ElementTree.SubElement(svg, "path", kept)
        elif tag == "text" and element.text:
            ElementTree.SubElement(svg, "text", lettered(element, style)).text = element.text
    return as_text(svg)


def styles(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def painted(element: ElementTree.Element, style: dict[str, str]) -> dict[str, str]:
    """The attributes of a line or a box; nothing for what matplotlib paints beneath."""
    inside, outline = CLASSES.get(style.get("fill", "")), CLASSES.get(style.get("stroke", ""))
    if not inside and not outline:
        return {}
    kept = {"d": " ".join(short(element.attrib["d"]).split()), "class": inside or outline or ""}
    if inside:
        return kept | {"fill": "currentColor", "stroke": "none"}
    return kept | {"stroke-width": short(style["stroke-width"])}


def lettered(element: ElementTree.Element, style: dict[str, str]) -> dict[str, str]:
    """The place of a text; none is turned, so that all can be read."""
    kept = {"fill": "currentColor", "stroke": "none"}
    anchor = style.get("text-anchor", "start")
    if anchor != "middle":
        kept["text-anchor"] = anchor
    if "x" in element.attrib:
        places = [element.attrib["x"], element.attrib["y"]]
    else:  # a line of several: matplotlib says where it starts
        places = re.findall(r"-?[\d.]+", element.attrib["transform"])[:2]
    return kept | dict(zip(("x", "y"), map(short, places), strict=True))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(chart, html=(visit_html, None))
    app.add_directive("chart", Chart)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
