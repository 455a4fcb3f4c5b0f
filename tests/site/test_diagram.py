"""The diagram extension, driven through small Sphinx builds."""

import re
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import diagram
import polib
import pytest
from sphinx.testing.util import SphinxTestApp

needs_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="Graphviz is not installed (apt-get install graphviz)"
)

CONF = """
extensions = ["myst_parser", "diagram"]
myst_enable_extensions = ["colon_fence"]
language = "ja"
html_theme = "basic"
locale_dirs = ["locale"]
gettext_compact = False
exclude_patterns = ["_build"]
"""
SOURCE = r"""digraph {
  // 注釈は訳さない
  a [label="経路の\n\"表\" \\ 一行" class="accent"]
  b [label=保管庫, xlabel="外側"];
  c [label="S3"]
  a -> b [label="進む", headlabel="終点" taillabel="始点"]
  b -> c [label="進む"]
}"""
FENCE = ":::{{diagram}} {name}\n:title: 経路図\n:alt: 甲から乙へ進む。\n{source}\n:::\n"
ENGLISH = {
    '経路の\n"表" \\ 一行': 'Route\n"table" \\ row',
    "保管庫": "Store",
    "外側": "outside",
    "進む": "go on",
    "終点": "end",
    "始点": "start",
    "経路図": "Route map",
    "甲から乙へ進む。": "From A to B, as in <S3> & co.",
}


class Site:
    """A site of few pages in a temporary folder, built as often as a test needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings = ""
        (folder / "conf.py").write_text(CONF, encoding="utf-8")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def page(self, *fences: str, name: str = "index") -> None:
        self.write(f"{name}.md", "\n".join(("---\norphan: true\n---\n# Page\n", *fences)))

    def catalog(self, page: str, texts: dict[str, str]) -> None:
        entries = polib.POFile()
        entries.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Language": "en"}
        entries.extend(polib.POEntry(msgid=k, msgstr=v) for k, v in texts.items())
        entries.save(str(self.write(f"locale/en/LC_MESSAGES/{page}.po", "")))

    def build(self, builder: str = "html", language: str = "ja", render: bool = False) -> str:
        """Build all pages, keep the warnings, return the index page."""
        warning = StringIO()
        app = SphinxTestApp(
            builder,
            srcdir=self.folder,
            builddir=self.folder / "_build" / language,
            confoverrides={"language": language, "diagram_render": "1" if render else "0"},
            warning=warning,
        )
        try:
            app.build()
        finally:
            self.warnings = re.sub(r"\x1b\[[\d;]*m", "", warning.getvalue())
            app.cleanup()
        pages = sorted(Path(app.outdir).glob("index.*"))
        return pages[0].read_text(encoding="utf-8") if pages else ""

    def committed(self, name: str = "route", language: str = "ja", page: str = "index") -> Path:
        return self.folder / "_diagrams" / page / f"{name}.{language}.svg"

    def commit(self, svg: str, source: str = SOURCE, language: str = "ja") -> Path:
        """Write a fresh file by hand, as if it had been drawn elsewhere."""
        texts = ENGLISH if language == "en" else {}
        node = diagram.diagram(
            "", title="経路図", alt="甲から乙へ進む。", source=source, texts=texts
        )
        name = self.committed(language=language).relative_to(self.folder)
        return self.write(str(name), f"{diagram.digest_line(node)}\n{svg}")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def without_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def fence(name: str = "route", source: str = SOURCE) -> str:
    return FENCE.format(name=name, source=source)


def texts_of(html: str) -> list[str]:
    return [text for svg in svgs_of(html) for text in svg.itertext() if text.strip()]


def svgs_of(html: str) -> Iterator[ElementTree.Element]:
    for svg in re.findall(r"<svg .*?</svg>", html, re.DOTALL):
        yield ElementTree.fromstring(svg)


def warning(text: str) -> str:
    return f"WARNING: {text}"


@pytest.mark.parametrize("mark", [":::", "```"])
def test_labels_title_and_alt_are_extracted(site: Site, mark: str) -> None:
    site.page(fence().replace(":::", mark))
    site.build("gettext")
    pot = polib.pofile(str(site.folder / "_build/ja/gettext/index.pot"))
    assert [entry.msgid for entry in pot if entry.msgid != "Page"] == list(ENGLISH)
    assert site.warnings == ""


@needs_dot
def test_translations_reach_the_picture(site: Site) -> None:
    site.page(fence())
    site.catalog("index", ENGLISH)
    html = site.build(language="en", render=True)
    shown = texts_of(html)
    assert shown[:2] == ["Route map", "From A to B, as in <S3> & co."]
    assert sorted(shown[2:]) == sorted(
        ["Route", '"table" \\ row', "Store", "outside", "S3", "go on", "end", "start", "go on"]
    )
    assert not re.search("[ぁ-んァ-ン一-龠]", "".join(shown))
    assert site.warnings == ""


@needs_dot
@pytest.mark.parametrize("same", [{"S3": "S3"}, {"進む": "進む"}])
def test_a_text_that_is_the_same_in_both_languages_stops_no_other(
    site: Site, same: dict[str, str]
) -> None:
    source = 'digraph { a [label="経路"] b [label="S3"] a -> b [label="進む"] }'
    site.page(fence(source=source))
    site.catalog("index", ENGLISH | {"経路": "Route"} | same)
    shown = texts_of(site.build(language="en", render=True))
    assert shown == [
        "Route map",
        ENGLISH["甲から乙へ進む。"],
        "Route",
        "S3",
        same.get("進む", "go on"),
    ]


@needs_dot
def test_two_pictures_share_no_id_and_carry_none_of_the_colours_of_dot(site: Site) -> None:
    site.page(fence("route"), fence("other-route"))
    html = site.build(render=True)
    ids = re.findall(r'<(?:title|desc) id="([^"]+)"', html)
    assert ids == [f"diagram-{n}-{t}" for n in ("route", "other-route") for t in ("title", "desc")]
    for name in ("route", "other-route"):
        assert f'aria-labelledby="diagram-{name}-title diagram-{name}-desc"' in html
    committed = site.committed().read_text(encoding="utf-8")
    assert not re.search(r"black|white|Noto|graphviz|pt\"|DOCTYPE|<\?xml|\bnode1\b", committed)
    assert 'class="node accent"' in committed
    assert len(re.findall("<title", committed)) == 1
    assert len(re.findall("<!--", committed)) == 1


@needs_dot
def test_ten_nodes_weigh_at_most_six_kilobytes(site: Site) -> None:
    nodes = [f'n{i} [label="{i} 番目の処理"]' for i in range(10)]
    edges = [f'n{i} -> n{i + 1} [label="次へ"]' for i in range(9)]
    site.page(fence(source="digraph { " + "; ".join(nodes + edges) + " }"))
    site.build(render=True)
    assert site.committed().stat().st_size <= 6000


@needs_dot
def test_rendering_twice_changes_nothing(site: Site) -> None:
    site.page(fence())
    site.build(render=True)
    path = site.committed()
    before = path.stat().st_mtime_ns, path.read_bytes()
    shutil.rmtree(site.folder / "_build")
    site.build(render=True)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    path.unlink()
    site.build(render=True)
    assert path.read_bytes() == before[1]


@needs_dot
def test_rendering_mends_a_stale_picture_and_the_dummy_builder_is_enough(site: Site) -> None:
    site.page(fence())
    path = site.commit("<svg>old</svg>", source="digraph { }")
    site.build("dummy", render=True)
    assert "経路の" in path.read_text(encoding="utf-8")
    assert site.warnings == ""
    site.build()
    assert site.warnings == ""


@needs_dot
def test_pictures_of_no_diagram_are_removed(site: Site) -> None:
    site.page(fence("kept"), fence("left"))
    site.page(fence("gone"), name="part/away")
    other = site.write("_diagrams/part/away/gone.en.svg", "of the other language\n")
    site.build(render=True)
    site.page(fence("kept"))
    (site.folder / "part/away.md").unlink()
    site.build(render=True)
    assert sorted((site.folder / "_diagrams").rglob("*.svg")) == [site.committed("kept"), other]
    site.catalog("index", ENGLISH)
    site.build(language="en", render=True)
    assert not (site.folder / "_diagrams/part").exists()


def test_a_picture_of_no_diagram_is_reported(site: Site) -> None:
    site.page()
    site.write("_diagrams/index/route.ja.svg", "old\n")
    site.build()
    assert warning("_diagrams/index/route.ja.svg belongs to no diagram: run make diagrams") in (
        site.warnings
    )


def test_a_broken_directive_does_not_cost_its_picture(site: Site) -> None:
    site.page(fence().replace(":alt:", ":other:"))
    path = site.commit("<svg>kept</svg>")
    site.build("dummy", render=True)
    assert path.exists()


@pytest.mark.usefixtures("without_dot")
def test_an_ordinary_build_needs_no_dot(site: Site) -> None:
    site.page(fence())
    site.commit("<svg>committed</svg>")
    assert '<div class="diagram">\n<svg>committed</svg></div>' in site.build()
    assert site.warnings == ""


def test_a_missing_picture_warns_and_shows_the_sentence(site: Site) -> None:
    site.page(fence(), name="part/page")
    site.page()
    site.catalog("part/page", ENGLISH)
    site.build(language="en")
    text = warning("diagram part/page route is stale in en: run make diagrams [diagram.stale]")
    assert site.warnings.strip().endswith(text)
    html = (site.folder / "_build/en/html/part/page.html").read_text(encoding="utf-8")
    assert "<p>From A to B, as in &lt;S3&gt; &amp; co.</p>" in html


@pytest.mark.parametrize(
    ("old", "new"), [("始点", "出発"), ("経路図", "地図"), ("乙へ進む", "丙へ進む")]
)
def test_a_stale_picture_warns_and_is_still_shown(site: Site, old: str, new: str) -> None:
    site.page(fence().replace(old, new))
    site.commit("<svg>old</svg>")
    assert "<svg>old</svg>" in site.build()
    assert warning("diagram index route is stale in ja: run make diagrams") in site.warnings


@pytest.mark.parametrize("end", ["end", "target"])
def test_a_changed_translation_makes_the_picture_stale(site: Site, end: str) -> None:
    site.page(fence())
    site.catalog("index", ENGLISH | {"終点": end})
    site.commit("<svg>english</svg>", language="en")
    site.build(language="en")
    assert ("route is stale in en: run make diagrams" in site.warnings) == (end == "target")


def test_an_incremental_build_sees_a_changed_picture(site: Site) -> None:
    site.page(fence())
    path = site.commit("<svg>first</svg>")
    site.build()
    path.write_text(path.read_text(encoding="utf-8").replace("first", "second"), encoding="utf-8")
    assert "<svg>second</svg>" in site.build()


@pytest.mark.usefixtures("without_dot")
def test_rendering_without_dot_says_how_to_install_it(site: Site) -> None:
    site.page(fence())
    with pytest.raises(diagram.DiagramError) as error:
        site.build(render=True)
    assert str(error.value) == (
        "diagram index route: install Graphviz to draw it (apt-get install graphviz)"
    )


@needs_dot
def test_the_message_of_dot_is_passed_on(site: Site) -> None:
    site.page(fence(source="digraph { a -> }"))
    with pytest.raises(diagram.DiagramError) as error:
        site.build(render=True)
    assert str(error.value).startswith(
        "diagram index route: dot says: Error: <stdin>: syntax error"
    )
    assert not site.committed().exists()


@pytest.mark.parametrize("builder", ["text", "latex", "man", "texinfo", "xml"])
def test_other_builders_say_the_sentence(site: Site, builder: str) -> None:
    site.page(fence())
    site.catalog("index", ENGLISH | {"甲から乙へ進む。": "From A to B."})
    site.write("conf.py", CONF + 'man_pages = [("index", "page", "", "", 1)]\n')
    site.build(builder, language="en")
    files = [path for path in (site.folder / f"_build/en/{builder}").iterdir() if path.is_file()]
    assert any(b"From A to B." in path.read_bytes() for path in files)
    assert "diagram" not in site.warnings


def test_nested_diagrams_work_and_only_their_pages_load_the_css(site: Site) -> None:
    quoted = "".join(f"> {line}\n" for line in fence().splitlines())
    site.page("::::{note}\n" + quoted + "::::\n")
    site.page(name="plain")
    site.commit("<svg>nested</svg>")
    html = site.build()
    assert "<svg>nested</svg>" in html
    assert "diagram.css" in html
    assert "diagram.css" not in (site.folder / "_build/ja/html/plain.html").read_text("utf-8")
    assert site.warnings == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            fence().replace(":title: 経路図\n", ""),
            "diagram route: add :title: with a few words that name the picture",
        ),
        (
            fence().replace(":alt: 甲から乙へ進む。\n", ""),
            "diagram route: add :alt: with one sentence that says what the picture shows",
        ),
        (
            fence("My_Route"),
            "diagram My_Route: write the name in kebab-case, such as gateway-route",
        ),
        (fence() + fence(), "diagram route: the name is already taken on this page"),
        (fence(source=""), "diagram route: the Graphviz source is missing"),
        *(
            (fence(source=f"digraph {{ {source} }}"), f"diagram route: {message}")
            for source, message in [
                (
                    'a [fillcolor="red"]',
                    'remove fillcolor: colours come from class="accent", "muted" or "danger"',
                ),
                (
                    "bgcolor=red",
                    'remove bgcolor: colours come from class="accent", "muted" or "danger"',
                ),
                (
                    "node [fontname=Arial]",
                    "remove fontname: the page sets font and size, and pictures have no links",
                ),
                (
                    'a [tooltip="説明"]',
                    "remove tooltip: the page sets font and size, and pictures have no links",
                ),
                (
                    'a [class="accent loud"]',
                    'class="loud" is unknown: use accent, muted or danger',
                ),
                (
                    "a [label=<<b>太字</b>>]",
                    'an HTML-like label cannot be translated: write label="..."',
                ),
                (
                    'a [label="左\\l"]',
                    r'\l in "左\l" is unknown: use \n, \" or \\',
                ),
                ('a [label="経" + "路"]', "write each text as one string, without +"),
                (
                    '"経路" -> b',
                    '"経路" stands outside a label: write an English name and label="経路"',
                ),
            ]
        ),
    ],
)
def test_what_an_author_must_change_is_said(site: Site, text: str, message: str) -> None:
    site.page(text)
    site.build("dummy")
    assert f"ERROR: {message} [docutils]\n" in site.warnings


@pytest.mark.parametrize("text", ['一\n"二" \\ 三', "\\n", 'end\\"', "", "{a|b}"])
def test_a_text_survives_the_way_to_graphviz_and_back(text: str) -> None:
    assert diagram.decode(diagram.encode(text)) == text


def test_only_labels_are_replaced() -> None:
    source = (
        r'digraph { a [label="上", comment=up /* label="上" */] "label"="上" b [label="\\上"] }'
    )
    node = diagram.diagram("", source=source, texts={"上": 'up "top"', "\\上": "\\up"})
    assert diagram.translated_source(node) == (
        r'digraph { a [label="up \"top\"", comment=up /* label="上" */] '
        r'"label"="up \"top\"" b [label="\\up"] }'
    )
