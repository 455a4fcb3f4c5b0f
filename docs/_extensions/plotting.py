"""Draws the plan of a chart with matplotlib and keeps the geometry: classes stand for colours."""

import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from diagram import FONT_SIZE, as_text, frame, short

mpl.use("Agg")
from matplotlib import pyplot, ticker

WIDTH, HEIGHT = 440, 300  # of a picture, in pixels of the page
ROW = 34  # height of a row of cells or dots
AROUND = 100  # height of what stands above and below the rows
MARGIN = 8  # on the left, where the reader's font may be wider than the one that was measured
MOST_TICKS = 8
DOT = 5  # diameter
# Drawn in colours that stand for a class; the style sheet chooses what a reader sees.
LINE, TEXT, FRAME = "#010101", "#020202", "#020404"
SERIES = [f"#0{number}0303" for number in range(1, 8)]
SHADES = [f"#0{number}0505" for number in range(1, 6)]  # from low to high
HEAT = [f"#0{number}0606" for number in range(1, 7)]
CLASSES = {
    LINE: "line",
    FRAME: "best",
    **{colour: f"series-{i}" for i, colour in enumerate(SERIES, 1)},
    **{colour: f"shade-{i}" for i, colour in enumerate(SHADES, 1)},
    **{colour: f"heat-{i}" for i, colour in enumerate(HEAT, 1)},
}
DASHES: list[Any] = ["solid", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2))]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Plan = dict[str, Any]


def render(node: Any, plan: Plan) -> str:
    """The SVG of a chart; `node.said` gives its texts in the language of the page."""
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
        "axes.unicode_minus": False,
    }
    height = height_of(plan)
    with mpl.rc_context(settings):
        figure, axes = pyplot.subplots(
            figsize=(WIDTH / 72, height / 72), layout="constrained", dpi=72
        )
        DRAW[plan["form"]](figure, axes, plan, node.said)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)
    return as_picture(node, written.getvalue(), height)


def height_of(plan: Plan) -> int:
    if plan["form"] in ("heat", "dots"):
        return AROUND + ROW * len(dict.fromkeys(plan["ys"]))
    return HEIGHT


Said = Callable[[Any], str]


# --- the forms -----------------------------------------------------------------------------------


def draw_bars(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    places, series = plan["places"], plan["series"]
    width = 0.8 / len(series)
    for position, (label, values, _dots) in enumerate(series):
        shift = (position - (len(series) - 1) / 2) * width
        spots = [place + shift for place in range(len(places))]
        axes.bar(spots, values, width * 0.92, label=said(label), color=SERIES[position])
    axes.set_xticks(range(len(places)), [said(each) for each in places])
    dress(figure, axes, plan, said)


def draw_lines(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    places = plan["places"]
    named = any(isinstance(place, str) for place in places)
    xs = range(len(places)) if named else places
    for position, (label, values, dots) in enumerate(plan["series"]):
        points = [(x, y) for x, y in zip(xs, values, strict=True) if y is not None]
        how = (
            {"linestyle": "none", "marker": "o", "markersize": DOT, "markeredgewidth": 0}
            if dots
            else {"linewidth": 2.2, "linestyle": DASHES[position % len(DASHES)]}
        )
        axes.plot(*zip(*points, strict=True), label=said(label), color=SERIES[position], **how)
    if named:
        axes.set_xticks(xs, [said(each) for each in places])
    elif "x" in plan["log"]:
        axes.set_xscale("log")
        powers(axes.xaxis)
    elif len(set(places)) <= MOST_TICKS:
        axes.set_xticks(sorted(set(places)))
        axes.xaxis.set_major_formatter(lambda value, _position: shown(value))
    else:
        axes.xaxis.set_major_formatter(lambda value, _position: shown(value))
    dress(figure, axes, plan, said)


def dress(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    axes.set_xlabel(said(plan["x"]))
    axes.set_title(said(plan["y"]), loc="left", fontsize=FONT_SIZE + 1)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    if "y" in plan["log"]:
        axes.set_yscale("log")
        powers(axes.yaxis)
    else:
        lowest = min((v for _, values, _ in plan["series"] for v in values if v is not None))
        if plan["from"] == "zero" and lowest >= 0:
            axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _position: shown(value))
    if len(plan["series"]) > 1:
        add_legend(figure, 2 if 2 < len(plan["series"]) < 5 else 4)


def add_legend(figure: Any, columns: int) -> None:
    """In as many columns as have room, at most so many."""
    legend = figure.legend(loc="outside upper center", ncols=columns)
    if columns > 1 and legend.get_window_extent(figure.canvas.get_renderer()).width > WIDTH:
        legend.remove()
        add_legend(figure, columns - 1)


def draw_heat(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    xs, ys = (list(dict.fromkeys(plan[axis])) for axis in ("xs", "ys"))
    low, high = min(plan["values"]), max(plan["values"])
    form = ".3f" if high < 10 else ",.0f"
    best = {"low": low, "high": high}.get(plan["best"] or "")
    for x, y, value in zip(plan["xs"], plan["ys"], plan["values"], strict=True):
        left, bottom = xs.index(x), ys.index(y)
        shade = HEAT[share(value, low, high, len(HEAT))]
        corner = (left - 0.48, bottom - 0.46)
        axes.add_patch(pyplot.Rectangle(corner, 0.96, 0.92, facecolor=shade, linewidth=0))
        if value == best:
            edge = pyplot.Rectangle(corner, 0.96, 0.92, fill=False, edgecolor=FRAME, linewidth=2.5)
            axes.add_patch(edge)
        axes.text(left, bottom, f"{value:{form}}", ha="center", va="center")
    axes.set_xlim(-0.5, len(xs) - 0.5)
    axes.set_ylim(-0.5, len(ys) - 0.5)
    axes.set_xticks(range(len(xs)), [tick(x, said) for x in xs])
    axes.set_yticks(range(len(ys)), [tick(y, said) for y in ys])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(said(plan["x"]))
    title = "\n".join((said(plan["labels"][0]), f"↑ {said(plan['y'])}"))
    axes.set_title(title, loc="left", fontsize=FONT_SIZE + 1)


def draw_dots(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    rows = list(dict.fromkeys(plan["ys"]))
    span = (max(plan["xs"]) - min(plan["xs"])) or 1
    for row, name in enumerate(reversed(rows)):
        found = [
            (x, share(value, 0, 1, len(SHADES)))
            for x, y, value in zip(plan["xs"], plan["ys"], plan["values"], strict=True)
            if y == name
        ]
        taken: dict[int, int] = {}
        for x, shade in sorted(found):
            column = round(x / span * 70)
            number = taken[column] = taken.get(column, -1) + 1
            shift = (number + 1) // 2 * (0.13 if number % 2 else -0.13)
            axes.plot(
                x, row + max(-0.42, min(0.42, shift)), "o", color=SHADES[shade], markersize=DOT
            )
    axes.axvline(0, color=LINE, linewidth=1)
    axes.set_ylim(-0.5, len(rows) - 0.5)
    axes.set_yticks(range(len(rows)), [said(name) for name in reversed(rows)])
    axes.xaxis.set_major_formatter(lambda value, _position: shown(value))
    axes.set_xlabel(said(plan["x"]))
    axes.spines["left"].set_visible(False)
    for label, colour in zip(plan["labels"], (SHADES[0], SHADES[-1]), strict=False):
        axes.plot([], [], "o", color=colour, markersize=DOT, label=said(label))
    add_legend(figure, 2)


def draw_parallel(figure: Any, axes: Any, plan: Plan, said: Said) -> None:
    places = [list(places_on(values, log)) for _, values, log in plan["axes"]]
    objective = places[-1]
    order = sorted(objective)
    for number in sorted(range(len(objective)), key=objective.__getitem__):
        rank = order.index(objective[number]) / max(len(order) - 1, 1)
        heights = [values[number] for values in places]
        shade = SHADES[share(rank, 0, 1, len(SHADES))]
        axes.plot(range(len(places)), heights, color=shade, linewidth=1.6)
    for position, (_, values, _) in enumerate(plan["axes"]):
        axes.plot([position, position], [0, 1], color=LINE, linewidth=1)
        axes.text(position, 1.03, shown(max(values)), ha="center", va="bottom")
        axes.text(position, -0.03, shown(min(values)), ha="center", va="top")
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_ylim(-0.12, 1.12)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xticks(range(len(places)), [said(label) for label, _, _ in plan["axes"]])


DRAW = {
    "bars": draw_bars,
    "lines": draw_lines,
    "heat": draw_heat,
    "dots": draw_dots,
    "parallel": draw_parallel,
}


def places_on(values: list[float], log: bool) -> Iterator[float]:
    """Where values lie between the ends 0 and 1 of their axis."""
    scaled = [math.log(value) if log else value for value in values]
    low, high = min(scaled), max(scaled)
    for value in scaled:
        yield (value - low) / (high - low) if high > low else 0.5


def share(value: float, low: float, high: float, steps: int) -> int:
    """Which of the equal steps between low and high a value falls into."""
    return min(steps - 1, max(0, int((value - low) / ((high - low) or 1) * steps)))


def tick(value: Any, said: Said) -> str:
    return said(value) if isinstance(value, str) else shown(value)


def shown(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def powers(axis: Any) -> None:
    """Ticks at powers of ten, as text: matplotlib's own are formulas."""
    axis.set_major_locator(ticker.LogLocator(numticks=7))
    axis.set_major_formatter(lambda value, _position: power(value))
    axis.set_minor_formatter(ticker.NullFormatter())


def power(value: float) -> str:
    exponent = round(math.log10(value))
    return shown(value) if -1 <= exponent <= 5 else f"10{str(exponent).translate(SUPERSCRIPTS)}"


# --- the picture ---------------------------------------------------------------------------------


def as_picture(node: Any, drawn: str, height: int) -> str:
    """Keep the geometry of matplotlib's file; classes stand for its colours."""
    svg = frame(node, -MARGIN, 0, WIDTH + MARGIN, height)
    dots: dict[str, ElementTree.Element] = {}
    for element in visible(ElementTree.fromstring(drawn)):
        tag = element.tag.rpartition("}")[2]
        style = styles(element.get("style", ""))
        if tag == "path" and (kept := painted(element, style)):
            ElementTree.SubElement(svg, "path", kept)
        elif tag == "use" and (name := CLASSES.get(style.get("fill", ""))):
            add_dot(svg, dots, name, short(element.attrib["x"]), short(element.attrib["y"]))
        elif tag == "text" and element.text:
            ElementTree.SubElement(svg, "text", lettered(element, style)).text = element.text
    return as_text(svg)


def visible(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    if not element.tag.endswith("}defs"):
        yield element
        for inner in element:
            yield from visible(inner)


def add_dot(
    svg: ElementTree.Element, dots: dict[str, ElementTree.Element], name: str, x: str, y: str
) -> None:
    """A dot is the round end of a line without length: all of a class are one short path."""
    if name not in dots:
        look = {"class": name, "d": "", "stroke-width": str(DOT), "stroke-linecap": "round"}
        dots[name] = ElementTree.SubElement(svg, "path", look)
    dots[name].set("d", dots[name].attrib["d"] + f"M{x} {y}h0")


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
    for name in ("stroke-width", "stroke-dasharray"):
        if name in style:
            kept[name] = short(style[name])
    return kept


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
