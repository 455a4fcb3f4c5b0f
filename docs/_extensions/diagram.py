"""Graphviz diagrams with translated labels, as inline SVG in the colours and font of the page.

The pictures are committed under _diagrams, so the site builds without Graphviz. A build with
`diagram_render` draws those that are missing or stale and removes those no page uses any more.
"""

import hashlib
import math
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)

VERSION = 1  # part of every digest: raise it whenever the same source must give another picture
FONT_SIZE = 14
SMALLEST_FONT_SIZE = 11
NARROWEST_PAGE = 280
# Boxes are measured with text one size larger than it is shown: readers' fonts differ in width.
MEASURED_FONT = ("fontname=Noto Sans CJK JP,sans-serif", f"fontsize={FONT_SIZE + 1}")
DEFAULTS = (
    *(f"-{kind}{value}" for kind in "GNE" for value in MEASURED_FONT),
    *("-Gnodesep=0.3", "-Granksep=0.45", "-Gpad=0.06", "-Gmargin=12"),
    *("-Nshape=box", "-Nmargin=0.16,0.09", "-Nheight=0.4", "-Nwidth=0.6", "-Earrowsize=0.7"),
)
LABELS = {"label", "xlabel", "headlabel", "taillabel"}
ACCENTS = {"accent", "muted", "danger"}
FORBIDDEN = re.compile(r"font|tooltip|url$|href$|image|shapefile|stylesheet", re.IGNORECASE)
GEOMETRY = {"d", "points", "x", "y", "cx", "cy", "rx", "ry", "stroke-dasharray", "stroke-width"}
JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
TOKEN = re.compile(
    r"""(?P<comment> //[^\n]* | /\*.*?\*/ | ^\#[^\n]*)
      | (?P<string> "(?:[^"\\]|\\.)*")
      | (?P<word> [\w.\u0080-\U0010ffff]+)
      | (?P<mark> \S)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class DiagramError(SphinxError):
    """Stops the build: a picture was asked for and cannot be drawn."""

    category = "Diagram error"


class diagram(nodes.General, nodes.Element, addnodes.translatable):
    """Keeps the source as written; the translation is a mapping, applied when it is needed."""

    def labels(self) -> list[str]:
        """The texts in the picture."""
        return labels(self["source"])

    def content(self) -> str:
        """What decides about the picture, in the language of the page."""
        return translated_source(self)

    def render(self) -> str:
        """The picture, as it is committed."""
        return picture(self, run_dot(self.content(), place(self)))

    def preserve_original_messages(self) -> None:
        # Sphinx drops every translation of a node whose last message is the same in both languages.
        # So names such as "S3" are no messages, and the sentence, never the same, comes last.
        texts = [*self.labels(), self["title"], self["alt"]]
        self["messages"] = [text for text in dict.fromkeys(texts) if JAPANESE.search(text)]

    def extract_original_messages(self) -> Sequence[str]:
        messages: list[str] = self["messages"]
        return messages

    def apply_translated_message(self, original_message: str, translated_message: str) -> None:
        self["texts"][original_message] = translated_message
        self["translated"] = len(self["texts"]) == len(self["messages"])  # True ends the series


class Diagram(SphinxDirective):
    """Refuses what would stay untranslated, or unreadable in the light or the dark scheme."""

    kind: ClassVar[type[diagram]] = diagram
    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "title": directives.unchanged,
        "alt": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise self.error(
                f"{self.name} {name}: write the name in kebab-case, such as gateway-route"
            )
        # Also where the directive is broken, so that its picture is not taken for an orphan.
        self.env.note_dependency(picture_file(self.env, self.env.docname, name))
        texts = {key: " ".join(self.options.get(key, "").split()) for key in ("title", "alt")}
        if reason := self.problem(name, texts):
            raise self.error(f"{self.name} {name}: {reason}")
        source = self.source()
        node = self.kind("", name=name, page=self.env.docname, source=source, texts={}, **texts)
        self.set_source_info(node)
        return [node]

    def source(self) -> str:
        """What the picture is drawn from."""
        return "\n".join(self.content)

    def problem(self, name: str, texts: dict[str, str]) -> str | None:
        """Say what the author has to change, if anything."""
        names: Any = self.env.current_document.setdefault("diagrams", [])
        names.append(name)
        if names.count(name) > 1:
            return "the name is already taken on this page"
        if not texts["title"]:
            return "add :title: with a few words that name the picture"
        if not texts["alt"]:
            return "add :alt: with one sentence that says what the picture shows"
        return self.source_problem()

    def source_problem(self) -> str | None:
        if not self.source().strip():
            return "the Graphviz source is missing"
        return source_problem(self.source())


def tokens(source: str) -> list[re.Match[str]]:
    return [token for token in TOKEN.finditer(source) if token.lastgroup != "comment"]


def attributes(source: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the name and the value of each `name=value`, wherever in the source it stands."""
    found = tokens(source)
    for name, equals, value in zip(found, found[1:], found[2:], strict=False):
        if equals[0] == "=":
            yield name[0].strip('"'), value


def source_problem(source: str) -> str | None:
    """Say what a Graphviz source may not contain, if it does."""
    translated = set()
    for name, value in attributes(source):
        if "color" in name.lower():
            return f'remove {name}: colours come from class="accent", "muted" or "danger"'
        if FORBIDDEN.search(name):
            return f"remove {name}: the page sets font and size, and pictures have no links"
        if name == "class" and (unknown := set(value[0].strip('"').split()) - ACCENTS):
            return f'class="{min(unknown)}" is unknown: use accent, muted or danger'
        if name in LABELS:
            if unknown := set(re.findall(r"\\(.)", value[0], re.DOTALL)) - set('n"\\'):
                return rf"\{min(unknown)} in {value[0]} is unknown: use \n, \" or \\"
            translated.add(value.start())
    for token in tokens(source):
        if token[0] == "<":
            return 'an HTML-like label cannot be translated: write label="..."'
        if token[0] == "+":
            return "write each text as one string, without +"
        if token.start() not in translated and JAPANESE.search(token[0]):
            return f"{token[0]} stands outside a label: write an English name and label={token[0]}"
    return None


def decode(value: str) -> str:
    r"""Translators see plain text: \" as a quote, \\ as a backslash, \n as a line break."""
    if value.startswith('"'):
        value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value[1:-1])
    return value


def encode(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'


def labels(source: str) -> list[str]:
    return [decode(value[0]) for name, value in attributes(source) if name in LABELS]


def translated_source(node: diagram) -> str:
    source: str = node["source"]
    for name, value in reversed(list(attributes(source))):
        text = node["texts"].get(decode(value[0])) if name in LABELS else None
        if text is not None:
            source = source[: value.start()] + encode(text) + source[value.end() :]
    return source


def translated_text(node: diagram, key: str) -> str:
    text: str = node["texts"].get(node[key], node[key])
    return text


def committed_file(node: diagram, env: BuildEnvironment) -> Path:
    return picture_file(env, node["page"], node["name"])


def picture_file(env: BuildEnvironment, page: str, name: str) -> Path:
    return Path(env.srcdir, "_diagrams", page, f"{name}.{env.config.language}.svg")


def digest_line(node: diagram) -> str:
    """The first line of a committed file, which tells whether the rest is still true."""
    texts = (translated_text(node, key) for key in ("title", "alt"))
    content = "\0".join((str(VERSION), node.content(), *texts))
    return f"<!-- sha256 {hashlib.sha256(content.encode()).hexdigest()} -->"


def read_committed(path: Path) -> tuple[str, str]:
    """Return the digest line and the picture, both empty when there is no file yet."""
    if not path.is_file():
        return "", ""
    first, _, svg = path.read_text(encoding="utf-8").partition("\n")
    return first, svg


def run_dot(source: str, where: str) -> str:
    dot = shutil.which("dot")
    if dot is None:
        raise DiagramError(f"{where}: install Graphviz to draw it (apt-get install graphviz)")
    command = [dot, "-Tsvg", *DEFAULTS]
    done = subprocess.run(command, input=source, capture_output=True, encoding="utf-8", check=False)
    message = " ".join(done.stderr.split())
    if done.returncode:
        raise DiagramError(f"{where}: dot says: {message}")
    if message:
        logger.warning("%s: dot says: %s", where, message, type="diagram", subtype="dot")
    return done.stdout


def short(numbers: str) -> str:
    """Round to a tenth of a pixel: dot's second decimal is a tenth of the file and invisible."""
    return re.sub(r"-?\d+\.\d+", lambda m: f"{round(float(m[0]), 1):g}", numbers.strip())


def corners(points: str) -> tuple[list[float], list[float]] | None:
    """Return the two x and the two y of an upright box, and nothing for any other polygon."""
    xs, ys = zip(*(map(float, point.split(",")) for point in points.split()), strict=True)
    if (len(xs), len(set(xs)), len(set(ys))) != (5, 2, 2):
        return None
    return sorted(set(xs)), sorted(set(ys))


def add_shape(parent: ElementTree.Element, drawn: ElementTree.Element) -> None:
    """Copy the geometry of a shape; its colours and font come from the picture and the page."""
    tag = drawn.tag.rpartition("}")[2]
    kept = {key: short(value) for key, value in drawn.items() if key in GEOMETRY}
    if tag == "polygon" and (box := corners(kept["points"])):  # dot's own rounded path is long
        (left, right), (top, bottom) = box
        sizes = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rx": 6}
        tag = "rect"
        kept = {key: f"{size:g}" for key, size in sizes.items()} | kept
        del kept["points"]
    if tag == "text" or drawn.get("fill") == "black":
        kept["fill"] = "currentColor"
    if tag == "text" or drawn.get("stroke") in ("transparent", "none"):
        kept["stroke"] = "none"
    if drawn.get("text-anchor") in ("start", "end"):
        kept["text-anchor"] = drawn.attrib["text-anchor"]
    ElementTree.SubElement(parent, tag, kept).text = drawn.text


def frame(
    node: diagram, left: float, top: float, width: float, height: float
) -> ElementTree.Element:
    """An empty picture with its title and its sentence for those who do not see it."""
    smallest = math.ceil(width * SMALLEST_FONT_SIZE / FONT_SIZE)
    ids = {tag: f"{node.tagname}-{node['name']}-{tag}" for tag in ("title", "desc")}
    svg = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "aria-labelledby": " ".join(ids.values()),
            "viewBox": f"{left:g} {top:g} {width:g} {height:g}",
            "width": f"{width:g}",
            "style": f"min-width:{smallest}px",
            "font-family": "sans-serif",
            "font-size": f"{FONT_SIZE}",
            "text-anchor": "middle",
            "fill": "none",
            "stroke": "currentColor",
        },
    )
    if smallest > NARROWEST_PAGE:
        svg.set("tabindex", "0")  # the box around it may scroll, also by keyboard
    for tag, text in (("title", "title"), ("desc", "alt")):
        ElementTree.SubElement(svg, tag, {"id": ids[tag]}).text = translated_text(node, text)
    return svg


def picture(node: diagram, drawn: str) -> str:
    """Turn dot's file into one that is small, reads well aloud and takes the look of the page."""
    graph = ElementTree.fromstring(drawn)[0]
    parts = [part for part in graph if not part.tag.endswith("}title")]
    paper = corners(short(parts.pop(0).attrib["points"]))
    assert paper is not None
    (left, right), (top, bottom) = paper
    svg = frame(node, left, top, right - left, bottom - top)
    for part in parts:
        if part.tag.endswith("}g"):
            group = ElementTree.SubElement(svg, "g", {"class": part.attrib["class"]})
            for drawn_shape in part:
                if not drawn_shape.tag.endswith("}title"):
                    add_shape(group, drawn_shape)
        else:
            add_shape(svg, part)
    return as_text(svg)


def as_text(svg: ElementTree.Element) -> str:
    return ElementTree.tostring(svg, encoding="unicode").replace(" />", "/>") + "\n"


def place(node: diagram) -> str:
    return f"{node.tagname} {node['page']} {node['name']}"


def draw(app: Sphinx, doctree: nodes.document) -> None:
    """Draw what is missing or stale as soon as the page is translated, for every builder."""
    for node in doctree.findall(diagram) if app.config.diagram_render else ():
        path = committed_file(node, app.env)
        if read_committed(path)[0] != digest_line(node):
            svg = node.render()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{digest_line(node)}\n{svg}", encoding="utf-8", newline="\n")
            width = svg.partition(' width="')[2].partition('"')[0]
            logger.info("drew %s: %s px wide", path.relative_to(app.srcdir), width)


def remove_orphans(app: Sphinx, env: BuildEnvironment) -> None:
    """Keep the folder true to the pages: remove, or else report, pictures of no diagram."""
    folder = Path(env.srcdir, "_diagrams")
    noted = {Path(file) for files in env.dependencies.values() for file in files}
    for path in sorted(folder.rglob(f"*.{env.config.language}.svg")):
        if path not in noted and app.config.diagram_render:
            path.unlink()
            for parent in path.relative_to(folder).parents:
                if not any((folder / parent).iterdir()):
                    (folder / parent).rmdir()
        elif path not in noted:
            name = path.relative_to(env.srcdir)
            message = "%s belongs to no diagram: run make diagrams"
            logger.warning(message, name, type="diagram", subtype="orphan")


def visit_html(translator: Any, node: diagram) -> None:
    first, svg = read_committed(committed_file(node, translator.builder.env))
    if first != digest_line(node):
        message = "%s is stale in %s: run make diagrams"
        language = translator.config.language
        logger.warning(
            message, place(node), language, location=node, type="diagram", subtype="stale"
        )
    content = svg or f"<p>{escape(translated_text(node, 'alt'))}</p>\n"
    translator.body.append(f'<div class="diagram">\n{content}</div>\n')
    raise nodes.SkipNode


def say_in_words(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Where a page cannot show SVG, the sentence for screen readers stands in for the picture."""
    if app.builder.format not in ("", "html"):  # the gettext builder has no format
        for node in list(doctree.findall(diagram)):
            node.replace_self(nodes.paragraph("", translated_text(node, "alt")))


def add_css(
    app: Sphinx, _page: str, _template: str, _context: dict[str, Any], doctree: Any
) -> None:
    """Only pages with a diagram load the style sheet."""
    if doctree and next(doctree.findall(diagram), None):
        app.add_css_file("diagram.css")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("diagram_render", False, "env", frozenset({bool}))
    app.add_node(diagram, html=(visit_html, None))
    app.add_directive("diagram", Diagram)
    app.connect("doctree-read", draw)
    app.connect("env-updated", remove_orphans)
    app.connect("doctree-resolved", say_in_words)
    app.connect("html-page-context", add_css)
    return {"env_version": VERSION, "parallel_read_safe": True, "parallel_write_safe": True}
