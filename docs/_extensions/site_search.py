"""The site's search: what the browser loads when a reader searches, and the page of results.

    search/words.js           the words of all pages, by what they stand in: ranks the pages
    search/prose/<page>.js    the text of a page by sections: finds the passage and shows it
    search/code/<page>.js     its code and output, loaded when only they have a word of the query
    search/labels.js          what the search says

Scripts and no JSON, because a browser reads no JSON from file://. A build that writes some pages
again takes the others from the files of the last build. docs/_static/search/ holds the scripts
that read them; CONTRIBUTING.md says how the engine was chosen.
"""

import json
import re
import shutil
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sphinx
from babel.messages.pofile import read_po
from docutils import nodes
from glossary import spellings
from spelling import key, words
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)

Block = str | list[str]  # prose, or a list that holds one text of code
Section = tuple[str, str, list[Block]]  # anchor, title, content
PASSAGE = {"ja": 100, "en": 190}  # characters shown of a passage, about two lines
# Porter's rules are frozen: those of "english" differ between Sphinx's script and Python's package.
STEMMERS = ("base-stemmer.js", "porter-stemmer.js")
MANY = 3  # so often in the prose of a page says that it is about the word
# In code nobody looks for long numbers and hashes.
NO_WORD = re.compile(r"\d{6,}|\d+(_\d+)*_\d{3,}|(?=[a-z]*\d)[0-9a-f]{8,}")
UNREAD = (
    nodes.section,
    nodes.title,
    nodes.meta,
    nodes.raw,
    nodes.comment,
    addnodes.glossary,
    addnodes.index,
    addnodes.toctree,
)
ROOT = Path(__file__).parents[2]
GLOSSARY = "reference/glossary"
READERS = ROOT / "docs" / "_data" / "search.toml"  # how readers say it


def blocks(node: nodes.Element) -> Iterator[Block]:
    """The texts of a section without its subsections."""
    for child in node.children:
        if isinstance(child, UNREAD):
            continue
        if isinstance(child, nodes.literal_block):
            yield [child.astext().strip()]
        elif isinstance(child, (nodes.TextElement, nodes.Text)):
            yield " ".join(child.astext().split())
        elif isinstance(child, nodes.row):
            yield " | ".join(" ".join(cell.astext().split()) for cell in child.children)
        elif isinstance(child, nodes.Element):
            if said := [str(child[name]) for name in ("title", "alt") if child.get(name)]:
                yield ": ".join(said)
            yield from blocks(child)


def sections(doctree: nodes.document) -> Iterator[Section]:
    """A page in reading order; each term of a glossary is a section of its own."""
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        content = [block for block in blocks(section) if block]
        yield section["ids"][0], title.astext() if title else "", content
        for glossary in section.children:
            if isinstance(glossary, addnodes.glossary):
                yield from terms(glossary)


def terms(glossary: addnodes.glossary) -> Iterator[Section]:
    for item in glossary.findall(nodes.definition_list_item):
        names = list(item.findall(nodes.term))
        said: list[Block] = [node.astext() for node in item.findall(nodes.definition)]
        yield names[0]["ids"][0], " / ".join(name.astext() for name in names), said


def as_script(call: str, *values: Any) -> str:
    texts = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values)
    return f"siteSearch.{call}({','.join(texts)})\n"


def read_script(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ExtensionError(f"{file} is missing: build all pages again, with -E") from error
    values: list[Any] = json.loads(f"[{text.partition('(')[2].rpartition(')')[0]}]")
    return values


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def files_of(outdir: Path, page: str) -> tuple[Path, Path]:
    """Prose and code apart: few queries need the code to show why a page was found."""
    return outdir / "search" / "prose" / f"{page}.js", outdir / "search" / "code" / f"{page}.js"


def write_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Runs for each page that Sphinx writes, with its text in the language of the build."""
    if doctree is None or app.builder.name != "html":
        return
    prose: list[Any] = []
    code: list[Any] = []
    for anchor, title, content in sections(doctree):
        prose.append([anchor, title, [block for block in content if isinstance(block, str)]])
        code.append([block[0] for block in content if isinstance(block, list)])
    lead = [
        node["content"] for node in doctree.findall(nodes.meta) if node["name"] == "description"
    ]
    to_prose, to_code = files_of(Path(app.outdir), page)
    write(to_prose, as_script("prose", page, lead, prose))
    write(to_code, as_script("code", page, code))


def fields(
    spelled: dict[str, str], prose_file: Path, code_file: Path, asked: list[str]
) -> list[Counter[str]]:
    """How often each word stands in title, headings, lead, what readers ask, prose and code."""
    page, lead, found = read_script(prose_file)
    _page, code = read_script(code_file)
    title, *headings = [title for _anchor, title, _blocks in found] or [""]
    texts = (
        [title, page.rpartition("/")[2]],
        headings,
        lead + [block for *_, blocks in found[:1] for block in blocks[:1]],
        asked,
        [block for *_, blocks in found for block in blocks],
        [block for blocks in code for block in blocks],
    )
    counted: list[Counter[str]] = []
    for lines in texts:
        counted.append(Counter())
        for word in words("\n".join(lines)):
            counted[-1][key(word)] += 1
            if len(word) > len(spelled.setdefault(key(word), word)):
                spelled[key(word)] = word
    prose = counted[4]
    counted[5] = Counter(
        {w: n for w, n in counted[5].items() if w in prose or not NO_WORD.fullmatch(spelled[w])}
    )
    return counted


def sign(page: int) -> str:
    """The number of a page as one character that JSON writes as it is."""
    return chr(page + 35 + (page + 35 >= ord("\\")))


def word_table(outdir: Path, pages: Iterable[str], asked: dict[str, list[str]]) -> list[str]:
    """The words, and for each field the pages that have them, as columns of lines: they pack best.

    The fields: title, headings, lead, what readers ask, prose, often in the prose, code. A page is
    one character.
    """
    table: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for number, page in enumerate(pages):
        title, headings, lead, readers, prose, code = fields(
            spelled, *files_of(outdir, page), asked.get(page, [])
        )
        often = {word for word, times in prose.items() if times >= MANY}
        for column, found in enumerate((title, headings, lead, readers, prose, often, code)):
            for word in found:
                table.setdefault(word, [""] * 7)[column] += sign(number)
    rows = [(spelled[word], *columns) for word, columns in sorted(table.items())]
    return ["\n".join(column) for column in zip(*rows, strict=True)]


def glossary_terms(language: str) -> list[tuple[list[str], list[str]]]:
    """The names of each term: in the language of the site, and in the other one."""
    catalog = ROOT / "locale" / "en" / "LC_MESSAGES" / f"{GLOSSARY}.po"
    with catalog.open("rb") as file:
        english = {message.id: message.string for message in read_po(file) if message.string}
    found: list[tuple[list[str], list[str]]] = []
    for japanese in spellings((ROOT / "docs" / f"{GLOSSARY}.md").read_text(encoding="utf-8")):
        translated = [str(english[name]) for name in japanese if name in english]
        found.append((japanese, translated) if language == "ja" else (translated, japanese))
    return found


def parts_of_site(app: Sphinx) -> tuple[list[str], dict[str, int]]:
    """The captions of the sidebar, and under which of them each page stands."""
    captions: list[str] = []
    under: dict[str, int] = {}
    for tree in app.env.get_doctree(app.config.root_doc).findall(addnodes.toctree):
        captions.append(tree["caption"])
        todo = list(tree["includefiles"])
        while todo:
            page = todo.pop()
            if under.setdefault(page, len(captions) - 1) == len(captions) - 1:
                todo += app.env.toctree_includes.get(page, [])
    return captions, under


def kind(app: Sphinx, page: str) -> int:
    """1: a page that only names what others are about (`search: list` in its front matter).

    2: a page with pages below it, which go into the details.
    """
    if app.env.metadata[page].get("search") == "list":
        return 1
    return 2 if app.env.toctree_includes.get(page) else 0


def readers_words(language: str) -> dict[str, list[str]]:
    """What readers type who need a page, in words that the page may not have."""
    pages = tomllib.loads(READERS.read_text(encoding="utf-8"))
    return {page: said.get(language, []) for page, said in pages.items()}


def labels(language: str) -> dict[str, str | int]:
    """What the search says, in the language of the build, and how long a passage may be."""
    return {
        "search": _("Search"),
        "results": _("Search results"),
        "close": _("Close"),
        "hint": _("Words, API operations, parameters, error messages, lines of output"),
        "loading": _("Loading the search …"),
        "failed": _("The search could not be loaded. Reload the page to try again."),
        "count": _("Pages found: %s"),
        "nothing": _("No page answers this."),
        "near": _("Did you mean:"),
        "advice": _("Try fewer or other words, or the table of contents."),
        "all": _("See all %s results"),
        "passage": PASSAGE.get(language, 190),
    }


def write_index(app: Sphinx, error: Exception | None) -> None:
    """At the end of the build, from the files of all pages."""
    if error is not None or app.builder.name != "html":
        return
    start = time.perf_counter()
    outdir, language = Path(app.outdir), app.config.language
    captions, under = parts_of_site(app)
    names = sorted(app.env.found_docs, key=lambda page: (under.get(page, -1), page))
    titles = [
        [name, app.env.titles[name].astext(), under.get(name, -1), kind(app, name)]
        for name in names
    ]
    columns = word_table(outdir, names, readers_words(language))
    write(
        outdir / "search" / "words.js",
        as_script(
            "index",
            titles,
            captions,
            glossary_terms(language),
            columns,
        ),
    )
    said = json.dumps(labels(language), ensure_ascii=False)
    write(outdir / "search" / "labels.js", f"siteSearch.labels = {said}\n")
    for stale in set((outdir / "search").glob("*/**/*.js")) - {
        file for name in names for file in files_of(outdir, name)
    }:
        stale.unlink()
    scripts = outdir / "_static" / "search"
    scripts.mkdir(parents=True, exist_ok=True)
    for name in STEMMERS:
        shutil.copy(Path(sphinx.__file__).parent / "search" / "minified-js" / name, scripts / name)
    logger.info("search index of %d pages: %.1f s", len(names), time.perf_counter() - start)


def no_builtin_search(app: Sphinx) -> None:
    """Sphinx then neither segments the pages nor writes searchindex.js."""
    if app.builder.name == "html":
        app.builder.search = False  # type: ignore[attr-defined]


def results_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {}, "search.html"


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("builder-inited", no_builtin_search)
    app.connect("html-collect-pages", results_page)
    app.connect("html-page-context", write_page)
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
