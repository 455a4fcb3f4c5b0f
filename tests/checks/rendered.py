"""Compare the two built sites, page by page: `python -m checks.rendered`.

This reads what a reader gets, so it also sees what no catalog shows: a translation that Sphinx
dropped, a link that ended up at another target, markup that is printed as it was written.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from checks.catalogs import JAPANESE, Problem, difference, report

GENERATED = {"genindex.html", "search.html"}
IGNORED = "nav.lang-switch, .headerlink, .copybtn, [translate=no], script, style, template"
VERBATIM = ["pre", "code", "kbd", "samp"]
SPOKEN = ("alt", "title", "aria-label", "placeholder")  # attributes that reach a reader
RAW = re.compile(
    r"\]\[|\]\(|\{(?:ref|doc|term|numref|abbr|any|download|eq|kbd|sub-ref|py:\w+)\}|\*\*|:::"
)


def section_of(tag: Tag) -> str:
    section = tag.find_parent("section", id=True)
    return f"{tag.name} in {section['id'] if section else 'the page'}"


def row_of(tag: Tag) -> str:
    return f"{len(tag.find_all(['td', 'th'], recursive=False))} cells, {section_of(tag)}"


def picture_of(tag: Tag) -> str:
    """A picture may have a translated sister: a.png, a.en.png."""
    return str(tag.get("src") or tag.get("data") or section_of(tag)).replace(".en.", ".")


def classes_of(tag: Tag) -> str:
    return " ".join(sorted(tag.get_attribute_list("class")))


def code_of(tag: Tag) -> str:
    """The text; of what a program said in the reader's language, the commands alone."""
    text = tag.get_text()
    if not tag.find_parent(class_="spoken"):
        return text
    return "\n".join(line for line in text.splitlines() if line.startswith("$ "))


# What must be equal: the elements, and what is compared of each. Inline elements may change places.
SHAPE: dict[str, tuple[str, Callable[[Tag], str]]] = {
    "headings": ("h1, h2, h3, h4, h5, h6", section_of),
    "code-blocks": ("pre", code_of),
    "inline-code": ("code:not(.download, pre code)", Tag.get_text),
    "links": ("a[href]", lambda tag: str(tag["href"])),
    "images": ("img, object, svg[role=img]", picture_of),
    "ids": ("section[id]", lambda tag: str(tag["id"])),
    "tables": ("tr", row_of),
    "items": ("li, dt, dd", section_of),
    "paragraphs": ("p", section_of),
    "tabs": (".sd-tab-label, [role=tab], summary", section_of),
    "admonitions": (".admonition", classes_of),
}
INLINE = {"inline-code", "links"}


def read_page(path: Path) -> BeautifulSoup:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for tag in page.select(IGNORED):
        tag.decompose()
    return page


def article_of(page: BeautifulSoup) -> Tag:
    return page.find("article") or page.find(role="main") or page.body or page


def compare_shape(ja: Tag, en: Tag) -> Iterator[tuple[int, str, str]]:
    """Line of the English page, rule, and what differs."""
    for rule, (selector, value) in SHAPE.items():
        tags = en.select(selector)
        wanted, given = [value(tag) for tag in ja.select(selector)], [value(tag) for tag in tags]
        if wanted == given or (rule in INLINE and sorted(wanted) == sorted(given)):
            continue
        what = difference(Counter(wanted), Counter(given)) or "another order"
        added = Counter(given) - Counter(wanted)
        suspects = [tag for tag, found in zip(tags, given, strict=True) if found in added]
        pairs = zip(tags, wanted, given, strict=False)
        suspects = suspects or [tag for tag, one, other in pairs if one != other] or tags[-1:]
        line = (suspects[0].sourceline or 0) if suspects else 0
        yield line, rule, " ".join(what.split())[:200]


def texts_of(tag: Tag) -> Iterator[tuple[Tag, str]]:
    """What a reader sees or hears in `tag`, code left out: each text with the element it is in."""
    for node in tag.descendants:
        if isinstance(node, Tag):
            yield from ((node, str(node[name])) for name in SPOKEN if node.get(name))
        elif type(node) is NavigableString and node.parent and not node.find_parent(VERBATIM):
            yield node.parent, node.strip()


def in_japanese(tag: Tag) -> bool:
    """Said to be Japanese: lang="ja" on the element or around it, the page itself apart."""
    around = (tag, *tag.parents)
    return any(parent.get("lang") == "ja" and parent.name != "html" for parent in around)


def left_in_japanese(article: Tag) -> Iterator[tuple[int, str]]:
    for tag, text in texts_of(article):
        if JAPANESE.search(text) and not in_japanese(tag):
            yield tag.sourceline or 0, text


def printed_markup(article: Tag) -> Iterator[tuple[int, str]]:
    for tag, text in texts_of(article):
        if found := RAW.search(text):
            yield tag.sourceline or 0, text[max(found.start() - 15, 0) :]
    for tag in article.select("p, pre, .math"):
        if tag.get_text().strip() == "::":
            yield tag.sourceline or 0, "::"


def head_of(page: BeautifulSoup) -> dict[str, str]:
    """What search engines show of a page."""
    description = page.find("meta", attrs={"name": "description"})
    return {
        "title": page.title.get_text().strip() if page.title else "",
        "description": str(description.get("content", "")).strip() if description else "",
    }


def compare_heads(ja: BeautifulSoup, en: BeautifulSoup) -> Iterator[tuple[str, str, str]]:
    langs = [str(page.html.get("lang")) if page.html else "" for page in (ja, en)]
    if langs != ["ja", "en"]:
        yield "lang", f"<html lang> is {' and '.join(langs)}", ""
    wanted, given = head_of(ja), head_of(en)
    for rule, text in given.items():
        if JAPANESE.search(text):
            yield rule, "Japanese", text
        elif text == wanted[rule] != "":
            yield rule, "the same in both languages", text
        elif bool(text) != bool(wanted[rule]):
            yield rule, "in one language only", text or wanted[rule]


def compare_pages(ja_path: Path, en_path: Path) -> Iterator[Problem]:
    ja, en = read_page(ja_path), read_page(en_path)
    articles = {ja_path: article_of(ja), en_path: article_of(en)}
    for rule, what, text in compare_heads(ja, en):
        yield Problem(en_path, 1, rule, what, text)
    for line, rule, what in compare_shape(articles[ja_path], articles[en_path]):
        yield Problem(en_path, line, rule, what)
    for path, article in articles.items():
        for line, text in printed_markup(article):
            yield Problem(path, line, "raw-markup", "printed as it is written", text)
    for line, text in left_in_japanese(articles[en_path]):
        yield Problem(en_path, line, "japanese", "not translated", text)
    articles[en_path].extract()
    for line, text in left_in_japanese(en.body or en):
        yield Problem(en_path, line, "frame", "Japanese around the article", text)


def read_paths(site: Path) -> set[Path]:
    """The pages of a site. Folders that start with _ hold assets."""
    paths = {path.relative_to(site) for path in site.rglob("*.html")}
    return {p for p in paths if p.name not in GENERATED and not p.parts[0].startswith("_")}


def check(ja: Path, en: Path) -> list[Problem]:
    """Everything in which the two sites differ and should not."""
    pages = {site: read_paths(site) for site in (ja, en)}
    if empty := [site for site, paths in pages.items() if not paths]:
        return [Problem(site, 0, "no-pages", "build the site first") for site in empty]
    problems = [
        Problem(site / path, 0, "page", "not in the other language")
        for site, other in ((ja, en), (en, ja))
        for path in sorted(pages[site] - pages[other])
    ]
    seen = set[str]()
    for path in sorted(pages[ja] & pages[en]):
        for problem in sorted(compare_pages(ja / path, en / path)):
            if problem.rule != "frame" or problem.text not in seen:  # the frame is on every page
                problems.append(problem)
                seen |= {problem.text}
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="checks.rendered", description="the two sites compared")
    parser.add_argument("--ja", type=Path, default=Path("_build/html/ja"))
    parser.add_argument("--en", type=Path, default=Path("_build/html/en"))
    options = parser.parse_args(arguments)
    return report("built pages", check(options.ja, options.en))


if __name__ == "__main__":
    sys.exit(main())
