"""Charts of the figures that an example measured, in the colours and font of the page.

    :::{chart} rows-per-slice
    :form: bars
    :title: …
    :alt: …
    :data: redshift/distribution statements/4
    :x: slice | スライス
    :y: 行数
    even | EVEN
    key_channel | KEY（販売経路）
    :::

`data` names the example, and within its `.figures.json` the path of a table: an object with
`columns` and `rows`. A line `value = label` says how a place on an axis is called. The forms:

- `bars` (the default) and `lines`: each line is a series, its column and its label; in `lines` the
  x column may hold numbers, `| dots` behind a label draws points, cells of null are left out,
  `:log: x y` names the logarithmic axes, and `:from: data` lets the y axis start at the data.
- `heat`: `x` and `y` are columns with labels; the one line is the column of the numbers in the
  cells and their label; `:best: low` or `high` frames the best cell.
- `dots`: `x` is the column of numbers, `y` that of the rows of dots; one line `column | label of 0
  | label of 1` colours the dots by a number between 0 and 1.
- `parallel`: each line is an axis, the last one colours the curves; `:log:` names columns.

`make diagrams` draws with matplotlib (`plotting.py`).
"""

import json
from pathlib import Path
from typing import Any, ClassVar

from diagram import Diagram, diagram, visit_html
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMS = ("bars", "lines", "heat", "dots", "parallel")
MOST_SERIES = {"bars": 4, "lines": 7}
MOST_AXES = 7


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
        return list(dict.fromkeys(filter(None, self.plan["words"])))

    def content(self) -> str:
        texts = json.dumps([self.said(text) for text in self.labels()], ensure_ascii=False)
        return f"{self['source']}\0{texts}"

    def said(self, text: Any) -> str:
        return str(self["texts"].get(text, text)).replace(" / ", "\n")

    def render(self) -> str:
        import plotting  # only who draws needs matplotlib

        return plotting.render(self, self.plan)


def column(table: dict[str, Any], name: str) -> list[Any]:
    if name not in table["columns"]:
        raise BadChart(f"there is no column {name}; there are {', '.join(table['columns'])}")
    place = table["columns"].index(name)
    return [row[place] for row in table["rows"]]


def numbers(table: dict[str, Any], name: str) -> list[float]:
    return [number(value) for value in column(table, name)]


def parts(text: str) -> list[str]:
    """`name | label | …`; a name without label is its own."""
    found = [part.strip() for part in text.split("|")]
    return found if found[1:] else [*found, found[0]]


def place_name(line: str) -> tuple[str, str]:
    """`value = label`, for a place on an axis; ` / ` in a label breaks the line."""
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


def make_plan(table: dict[str, Any], options: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """What is drawn, with all numbers; `words` are the texts to translate.

    Raises:
        BadChart: the table does not have what the chart asks for.
    """
    form = options.get("form", "bars")
    called = dict(place_name(line) for line in lines if "=" in line)
    wanted = [parts(line) for line in lines if line.strip() and "=" not in line]

    def places(name: str) -> list[Any]:
        return [called.get(str(value), value) for value in column(table, name)]

    log = options.get("log", "").split()
    found: dict[str, Any]
    if form == "parallel":
        found = parallel_plan(table, wanted, log)
    elif form in ("heat", "dots"):
        (x, x_label), (y, y_label) = parts(options["x"])[:2], parts(options["y"])[:2]
        if len(wanted) != 1:
            raise BadChart("write one line for what the cells or dots show")
        key, *labels = wanted[0]
        found = {
            "x": x_label,
            "y": y_label,
            "xs": places(x) if form == "heat" else numbers(table, x),
            "ys": places(y),
            "values": numbers(table, key),
            "labels": labels,
            "best": options.get("best"),
        }
        found["words"] = [x_label, y_label, *labels, *texts_in(found["xs"] + found["ys"])]
    else:
        found = series_plan(table, options, wanted, places) | {"log": log}
    return {"form": form, **found}


def texts_in(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def series_plan(
    table: dict[str, Any], options: dict[str, Any], wanted: list[list[str]], places: Any
) -> dict[str, Any]:
    form = options.get("form", "bars")
    most = MOST_SERIES[form]
    if not 1 <= len(wanted) <= most:
        raise BadChart(f"write one to {most} lines `column | label`")
    name, label = parts(options["x"])[:2]
    xs = places(name)
    series = []
    for key, said, *how in wanted:
        if how not in ([], ["dots"]) or (how and form == "bars"):
            raise BadChart(f"{key}: behind the label only `dots` may stand, in lines")
        values = [
            None if value is None and form == "lines" else number(value)
            for value in column(table, key)
        ]
        series.append([said, values, bool(how)])
    words = [label, options["y"], *(said for said, _, _ in series), *texts_in(xs)]
    start = options.get("from", "zero")
    return {
        "x": label,
        "y": options["y"],
        "places": xs,
        "series": series,
        "from": start,
        "words": words,
    }


def parallel_plan(table: dict[str, Any], wanted: list[list[str]], log: list[str]) -> dict[str, Any]:
    if not 2 <= len(wanted) <= MOST_AXES:
        raise BadChart(f"write two to {MOST_AXES} lines `column | label`: the axes")
    axes = [(label, numbers(table, name), name in log) for name, label, *_ in wanted]
    for label, values, logarithmic in axes:
        if logarithmic and min(values) <= 0:
            raise BadChart(f"{label}: a logarithmic axis has no place for {min(values):g}")
    return {"axes": axes, "words": [label for label, _, _ in axes]}


class Chart(Diagram):
    kind = chart
    option_spec: ClassVar[dict[str, Any]] = {
        **Diagram.option_spec,
        "form": lambda text: directives.choice(text, FORMS),
        "data": directives.unchanged_required,
        "x": directives.unchanged_required,
        "y": directives.unchanged_required,
        "log": directives.unchanged_required,
        "from": lambda text: directives.choice(text, ("zero", "data")),
        "best": lambda text: directives.choice(text, ("low", "high")),
    }

    def source_problem(self) -> str | None:
        needed = ["data"] if self.options.get("form") == "parallel" else ["data", "x", "y"]
        missing = [name for name in needed if name not in self.options]
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


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(chart, html=(visit_html, None))
    app.add_directive("chart", Chart)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
