"""The directives `example`, `sql`, `shell` and `file`: a file of examples/ and what was proven.

    :::{example} s3_gateway_endpoint/create_endpoint
    :highlight: create
    One sentence that says what the program does (translated).
    :::

Shown are the whole file, the lines between `# [start: create]` and `# [end: create]` highlighted
and the markers themselves left out, a download of just this text, and in tabs the recorded
output, the IAM policy and the API calls. Labels are translated in locale/ja/…/sphinx.po.
`sql` and `shell` show `<name>.sql` or `<name>.sh` and its recorded output in the same way; `file`
shows a file that is no program, by its whole name: `sagemaker_cli/tf/main.tf`.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from lab_table import as_table
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx_design.shared import create_component

EXAMPLES = Path(__file__).parents[2] / "examples"
LANGUAGES_OF_FILES = {".tf": "terraform", ".example": "terraform"}
MARKER = re.compile(r"^\s*# \[(start|end): ([a-z-]+)\]\s*$")


class BadMarkers(Exception):
    """Markers that are not balanced, not unique, or not there."""


def without_markers(source: str) -> tuple[str, dict[str, range]]:
    """The text as shown, and for each marker name the shown lines (from 1) between its markers.

    Raises:
        BadMarkers: naming the marker and what is wrong with it.
    """
    shown: list[str] = []
    opened: dict[str, int] = {}
    found: dict[str, range] = {}
    for line in source.splitlines():
        marker = MARKER.match(line)
        if marker is None:
            shown.append(line)
        elif marker[1] == "start":
            if marker[2] in opened or marker[2] in found:
                raise BadMarkers(f"marker {marker[2]} starts twice")
            opened[marker[2]] = len(shown) + 1
        else:
            if marker[2] not in opened:
                raise BadMarkers(f"marker {marker[2]} ends before it starts")
            found[marker[2]] = range(opened.pop(marker[2]), len(shown) + 1)
    if opened:
        raise BadMarkers(f"marker {', '.join(opened)} has no end")
    return "\n".join(shown) + "\n", found


class download(nodes.Element):
    """A link to the shown text as a file."""


def visit_download(translator: Any, node: download) -> None:
    up = "../" * translator.builder.current_docname.count("/")
    href = escape(f"{up}_downloads/{node['path']}")
    label = escape(_("Download %s") % Path(node["path"]).name)
    translator.body.append(f'<p class="example-download"><a download href="{href}">{label}</a></p>')
    raise nodes.SkipNode


def skip(translator: Any, node: nodes.Node) -> None:
    raise nodes.SkipNode


def paragraph(text: str, *classes: str) -> nodes.paragraph:
    """Text of the mechanism: translated through `_`, so it stays out of the page's catalog."""
    return nodes.paragraph("", text, classes=list(classes))


def block(text: str, language: str, highlight: Sequence[int] = ()) -> nodes.literal_block:
    node = nodes.literal_block(text, text, language=language)
    if highlight:
        node["highlight_args"] = {"hl_lines": list(highlight)}
    return node


def spoken(text: str) -> nodes.literal_block:
    """The record of a program that speaks the reader's language."""
    node = block(text, "console")
    node["classes"].append("spoken")
    return node


def tab(label: str, *content: nodes.Node, selected: bool = False) -> nodes.container:
    title = nodes.rubric("", label, classes=["sd-tab-label"], translatable=False)
    body = create_component("tab-content", classes=["sd-tab-content"], children=content)
    return create_component(
        "tab-item", classes=["sd-tab-item"], children=[title, body], selected=selected
    )


def calls_table(calls: list[dict[str, Any]]) -> nodes.table:
    """API, IAM actions and number of calls, in the order of the first call."""
    counted: Counter[tuple[str, str]] = Counter()
    for call in calls:
        name = f"{call['service']}:{call['operation']}"
        counted[name, ", ".join(call["actions"])] += call.get("times", 1)
    rows = [[_("API operation"), _("IAM action"), _("Calls")]]
    rows += [
        [f"`{operation}`", f"`{actions}`", str(count)]
        for (operation, actions), count in counted.items()
    ]
    return as_table(rows)


class Shown(SphinxDirective):
    """What `example` and `shell` share: the file name as argument, the caption as content."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        frame = nodes.container(classes=["example"])
        frame += self.caption()
        try:
            frame += self.content_of(self.arguments[0])
        except OSError as error:
            raise self.error(f"{error.filename} is missing: run make record") from error
        except BadMarkers as error:
            raise self.error(f"{self.arguments[0]}: {error}") from error
        return [frame]

    def content_of(self, name: str) -> list[nodes.Node]:
        raise NotImplementedError

    def caption(self) -> nodes.paragraph:
        text = " ".join(self.content)
        inner, _messages = self.parse_inline(text, lineno=self.content_offset)
        caption = nodes.paragraph(text, "", *inner, classes=["example-caption"])
        self.set_source_info(caption)
        return caption

    def read(self, path: Path) -> str:
        self.env.note_dependency(str(path))
        return path.read_text(encoding="utf-8")

    def scenario(self, path: Path) -> dict[str, Any]:
        tables = tomllib.loads(self.read(path.parent / "scenarios.toml"))
        return dict(tables[path.stem])

    def link_to(self, name: str, text: str) -> download:
        """A link to exactly this text; the file is written when the site is."""
        self.env.__dict__.setdefault("example_downloads", {})[name] = text
        return download(path=name)


class Example(Shown):
    option_spec: ClassVar = {"highlight": directives.unchanged_required}

    def content_of(self, name: str) -> list[nodes.Node]:
        path = EXAMPLES / f"{name}.py"
        source = self.read(path)
        text, run = (self.read(path.with_suffix(f".{part}")) for part in ("out", "run.json"))
        facts = json.loads(run)
        scenario = self.scenario(path)
        shown, marked = without_markers(source)
        wanted = self.options.get("highlight", "").split()
        if unknown := [name for name in wanted if name not in marked]:
            raise BadMarkers(f"there is no marker {unknown[0]}")
        tabs = [tab(_("Output"), *output(text, scenario), selected=True)]
        if "calls" in facts:
            policy = self.read(path.with_suffix(".policy.json"))
            tabs.append(tab(_("Permissions"), *permissions(policy, facts)))
            tabs.append(tab(_("API calls"), calls_table(facts["calls"])))
        return [
            block(shown, "python", [line for name in wanted for line in marked[name]]),
            self.link_to(f"{name}.py", shown),
            create_component("tab-set", classes=["sd-tab-set"], children=tabs),
            paragraph(ran_on(facts), "example-ran"),
        ]


class Sql(Shown):
    def content_of(self, name: str) -> list[nodes.Node]:
        path = EXAMPLES / f"{name}.sql"
        source = self.read(path)
        text, run = (self.read(path.with_suffix(f".{part}")) for part in ("out", "run.json"))
        return [
            block(source, "sql"),
            self.link_to(f"{name}.sql", source),
            paragraph(_("Output"), "example-output"),
            *output(text, self.scenario(path)),
            paragraph(ran_on(json.loads(run)), "example-ran"),
        ]


class Shell(Shown):
    def content_of(self, name: str) -> list[nodes.Node]:
        path = EXAMPLES / f"{name}.sh"
        return [
            block(self.read(path), "bash"),
            paragraph(_("Output, recorded on the lab"), "example-output"),
            self.record(path),
        ]

    def record(self, path: Path) -> nodes.literal_block:
        """Of a program that speaks the reader's language, what it says in it."""
        said = path.with_suffix(f".{self.config.language}.out")
        if said.exists():
            return spoken(self.read(said))
        return block(self.read(path.with_suffix(".out")), "console")


class File(Shown):
    def content_of(self, name: str) -> list[nodes.Node]:
        path = EXAMPLES / name
        text = self.read(path)
        shown = block(text, LANGUAGES_OF_FILES[path.suffix])
        shown["force"] = True  # Pygments does not know all of HCL: `[*]`, `for`, `>=`
        return [shown, self.link_to(name, text)]


def output(text: str, scenario: dict[str, Any]) -> list[nodes.Node]:
    return [block(text, "console"), *beforehand(scenario)]


def beforehand(scenario: dict[str, Any]) -> list[nodes.Node]:
    """What has prepared the lab."""
    if "before" not in scenario:
        return []
    steps = "".join(f"$ {line}\n" for line in scenario["before"])
    return [paragraph(_("Run beforehand, on an empty lab:")), block(steps, "console")]


def permissions(policy: str, run: dict[str, Any]) -> list[nodes.Node]:
    shown: list[nodes.Node] = [
        paragraph(
            _(
                "The smallest policy with which this run succeeds: without any one of its actions "
                "it fails. Replace the Region, the account 111122223333, the bucket and the IDs "
                "with yours. Other options may need more."
            )
        ),
        block(policy, "json"),
    ]
    for action, names in run["dependent_actions"].items():
        text = _("For %(action)s AWS also lists, depending on the parameters: %(names)s.")
        shown.append(paragraph(text % {"action": action, "names": ", ".join(names)}))
    return shown


def ran_on(run: dict[str, Any]) -> str:
    """Where and with what an example ran: on the lab as a program, as SQL, or without AWS."""
    versions = dict(run["versions"])
    facts = {"moto": versions.pop("moto", ""), "recorded": run["recorded"]}
    facts["packages"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    if run["ran_on"] == "local" and versions:
        told = _("Ran locally with %(packages)s, recorded on %(recorded)s; calls no AWS API.")
    elif run["ran_on"] == "local":
        told = _("Ran locally, recorded on %(recorded)s; calls no AWS API.")
    elif "calls" not in run:
        told = _(
            "Ran on the lab (moto %(moto)s with the additions of this site) with %(packages)s, "
            "recorded on %(recorded)s; not run on AWS. The lab gives the SQL, translated by "
            "sqlglot, to DuckDB."
        )
    else:
        told = _(
            "Ran on the lab (moto %(moto)s with the additions of this site) with %(packages)s, "
            "recorded on %(recorded)s; not run on AWS. In %(faults)s further runs, calls were made "
            "to fail; each ended with a clear message."
        )
        facts["faults"] = run["fault_runs"]
    sentences = [told % facts]
    if "measured" in run:
        sentences.append(_("The numbers are measurements of this run; every run gives others."))
    elif "tolerance" in run:
        shown = {"share": f"{run['tolerance'] * 100:g}", "number": f"{run['tolerance']:g}"}
        sentences.append(
            _(
                "On another machine the numbers may differ by up to %(share)s%%, small ones by "
                "%(number)s."
            )
            % shown
        )
    return " ".join(sentences)


def write_downloads(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    for name, text in getattr(app.env, "example_downloads", {}).items():
        target = Path(app.outdir, "_downloads", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(
        download,
        html=(visit_download, None),
        text=(skip, None),
        latex=(skip, None),
        man=(skip, None),
        texinfo=(skip, None),
    )
    app.add_directive("example", Example)
    app.add_directive("sql", Sql)
    app.add_directive("shell", Shell)
    app.add_directive("file", File)
    app.connect("build-finished", write_downloads)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
