"""How well the site's search finds: real queries in real Chromium on the built site.

    make search-eval QUERIES=tests/site/queries/tuning.json

A query is {"lang": "en", "q": "shadow tests", "pages": ["deployment/shadow-testing"]}: the pages
that a reader would be content to see first. R@1 and R@5 are the shares of queries with such a page
first and among the first five. Bytes are what Chromium received, headers included, from a server
that compresses as hosts of static sites do.
"""

import argparse
import functools
import gzip
import http.server
import json
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any, ClassVar

from playwright.sync_api import Browser, Page, sync_playwright
from site_search import as_script, files_of, read_script, readers_words, word_table, write

from bench.chromium import CHROMIUM, FLAGS

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
QUERIES = ROOT / "tests" / "site" / "queries"
COLD = 10  # times that a browser without anything in its cache is asked two queries
SETTLED = 20_000  # milliseconds that a result may take
UP = "docs/notes"  # the site lies under a sub-path, as project pages do


class BadQueries(Exception):
    """The file of queries cannot be used: what is wrong, and where."""


@dataclass
class Measured:
    """What one language's queries have shown; times in milliseconds."""

    at_once: list[int | None] = field(default_factory=list)  # ranks in the first list, and
    ranks: list[int | None] = field(default_factory=list)  # when the texts have come in
    found: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    final_times: list[float] = field(default_factory=list)
    first: list[int] = field(default_factory=list)  # bytes for the first list,
    cold: list[int] = field(default_factory=list)  # with its passages,
    more: list[int] = field(default_factory=list)  # and for a second query


def read_queries(path: Path, site: Path = SITE) -> list[dict[str, Any]]:
    """The queries of a file.

    Raises:
        BadQueries: no such file, no JSON list, an entry without lang, q or pages, an unknown page.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadQueries(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadQueries(f"{path}: no JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise BadQueries(f"{path}: must be a list of queries, and not an empty one")
    for number, entry in enumerate(entries, 1):
        where = f"{path}: query {number}"
        if not isinstance(entry, dict) or not {"lang", "q", "pages"} <= entry.keys():
            raise BadQueries(f'{where}: must be {{"lang": …, "q": …, "pages": […]}}')
        if not isinstance(entry["q"], str) or not entry["q"].strip():
            raise BadQueries(f"{where}: q must be a text")
        if not isinstance(entry["pages"], list) or not entry["pages"]:
            raise BadQueries(f"{where}: pages must be a list of page names")
        for page in entry["pages"]:
            if not (site / str(entry["lang"]) / f"{page}.html").is_file():
                raise BadQueries(f"{where}: no page {entry['lang']}/{page} in the built site")
    return entries


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves text gzipped, and lets the browser keep it."""

    protocol_version = "HTTP/1.1"
    packed: ClassVar[dict[Path, bytes]] = {}

    def log_message(self, *_: object) -> None:
        """Requests are no news."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path.partition("?")[0]))
        if not path.is_file():
            self.send_error(404)
            return
        if path not in self.packed:
            self.packed[path] = gzip.compress(path.read_bytes())
        body = self.packed[path]
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tab that is closed cuts its connections."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of the site, under a sub-path."""

    class Handler(Compressing):
        def translate_path(self, path: str) -> str:
            return super().translate_path(path.removeprefix(f"/{UP}"))

    handler = functools.partial(Handler, directory=str(site))
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{UP}"
        server.shutdown()


class Reader:
    """A browser tab in which somebody searches."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        self.bytes = 0
        self.first = 0  # bytes when the first result stood there
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self.count)
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        self.bytes = 0

    def count(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def open(self) -> None:
        self.page.keyboard.press("/")
        self.page.wait_for_selector("dialog.search [role=listbox]", state="attached")

    def ask(self, query: str) -> dict[str, Any]:
        """The pages of the first list and of the last one, and the milliseconds to each.

        They count from the last key, until the browser has drawn.
        """
        self.page.evaluate(WATCH)
        self.page.keyboard.insert_text(query[:-1])
        self.page.keyboard.insert_text(query[-1])
        self.page.wait_for_function(SHOWN, arg=query, timeout=SETTLED)
        self.first = self.bytes
        self.page.wait_for_function("watched.done !== null", timeout=SETTLED)
        watched: dict[str, Any] = self.page.evaluate("watched")
        for name in ("first", "last"):
            pages = [link.partition(f"/{UP}/")[2].partition("#")[0] for link in watched[name]]
            watched[name] = [page[3:].removesuffix(".html") for page in pages]
        return watched

    def close(self) -> None:
        self.context.close()


# The field is emptied; an input notes its time, the first frame after the list another, and the
# first frame after the list with its passages a third.
WATCH = """() => {
  const dialog = document.querySelector("dialog.search");
  const [field, list] = [dialog.querySelector("input"), dialog.querySelector("[role=listbox]")];
  const links = () => [...list.children].map((item) => item.href);
  if (!window.watched) {
    window.watched = {};
    field.addEventListener("input", (event) =>
      Object.assign(watched, { start: event.timeStamp, time: null, done: null }), true);
    const note = (name, shown) => {
      watched[name] = links();
      requestAnimationFrame(() => { watched[shown] ??= performance.now() - watched.start; });
    };
    new MutationObserver(() => {
      if (watched.time === null) note("first", "time");
      if (list.getAttribute("aria-busy") === "false" && watched.done === null) note("last", "done");
    }).observe(list, { childList: true, attributeFilter: ["aria-busy"] });
  }
  field.focus();
  field.select();
}"""
SHOWN = """(query) => document.querySelector("dialog.search input").value === query
  && siteSearch.built && watched.time !== null"""


def measure(browser: Browser, address: str, queries: list[dict[str, Any]]) -> Measured:
    """Ask all queries of one language in one tab, and a few each in a new browser profile."""
    measured = Measured()
    start = f"{address}/{queries[0]['lang']}/index.html"
    reader = Reader(browser, start)
    reader.open()
    reader.page.wait_for_function("siteSearch.built", timeout=SETTLED)
    reader.page.wait_for_load_state("networkidle")
    for query in queries:
        watched = reader.ask(query["q"])
        for ranks, shown in ((measured.at_once, "first"), (measured.ranks, "last")):
            hits = [at for at, page in enumerate(watched[shown], 1) if page in query["pages"]]
            ranks.append(hits[0] if hits else None)
        measured.found.append(len(watched["last"]))
        measured.times.append(watched["time"])
        measured.final_times.append(watched["done"])
    reader.close()
    drawn = random.Random(0)
    for _ in range(COLD):
        reader = Reader(browser, start)
        reader.open()
        reader.ask(drawn.choice(queries)["q"])
        measured.first.append(reader.first)
        measured.cold.append(reader.bytes)
        reader.ask(drawn.choice(queries)["q"])
        measured.more.append(reader.bytes - measured.cold[-1])
        reader.close()
    return measured


def rows(measured: Measured) -> Iterator[tuple[str, str]]:
    total = len(measured.ranks)
    for most in (1, 5):
        hits = sum(rank is not None and rank <= most for rank in measured.ranks)
        yield f"R@{most}", f"{hits / total:.3f}"
    yield "no hit at all", f"{sum(not found for found in measured.found) / total:.3f}"
    yield "R@1 of the list at once", f"{sum(rank == 1 for rank in measured.at_once) / total:.3f}"
    for name, times in (("results", measured.times), ("passages", measured.final_times)):
        ninety_five = quantiles(times, n=20, method="inclusive")[-1] if total > 1 else times[0]
        yield f"last key to {name}, p50, p95", f"{median(times):.0f} ms, {ninety_five:.0f} ms"
    for name, received in (
        ("results of a first query", measured.first),
        ("its passages too", measured.cold),
        ("a second query", measured.more),
    ):
        kilobytes = [size / 1000 for size in received]
        spread = f"{min(kilobytes):.0f} to {max(kilobytes):.0f}"
        yield f"received for {name}", f"{mean(kilobytes):.0f} kB ({spread})"


def misses(queries: list[dict[str, Any]], measured: Measured) -> Iterator[str]:
    for query, rank in zip(queries, measured.ranks, strict=True):
        if rank != 1:
            yield f"{rank or '-'}  {query['q']}  (wanted: {', '.join(query['pages'])})"


# --- at ten times the pages ----------------------------------------------------------------------

WORD = re.compile(r"[A-Za-z]{4,}|[ァ-ヺー]{3,}|[一-龠々]{2,}")


def changed(text: str, copy: int) -> str:
    """Every third word turned around, other words in each copy: the vocabulary grows too."""

    def turn(match: re.Match[str]) -> str:
        word = match[0]
        at = copy % len(word)
        chosen = zlib.crc32(f"{copy}{word}".encode()) % 3 == 0
        return (word[at:] + word[:at])[::-1] if chosen else word

    return WORD.sub(turn, text)


def all_changed(value: Any, copy: int) -> Any:
    """Each text of nested lists, anchors too."""
    if isinstance(value, str):
        return changed(value, copy)
    return [all_changed(inner, copy) for inner in value]


def grow(site: Path, language: str, folder: Path) -> tuple[int, float]:
    """A site of ten times the pages in `folder`: its pages, and the seconds that its index took."""
    outdir = folder / language
    for name in ("_static", "search"):
        shutil.copytree(site / language / name, outdir / name)
    shutil.copy(site / language / "index.html", outdir)
    titles, *middle, _columns = read_script(site / language / "search" / "words.js")
    entries = list(titles)
    for copy in range(1, 10):
        for name, title, part, kind in titles:
            page = f"copy{copy}/{name}"
            entries.append([page, changed(title, copy), part, kind])
            for file, target in zip(files_of(outdir, name), files_of(outdir, page), strict=True):
                _page, *texts = read_script(file)
                new = all_changed(texts, copy)
                call = "prose" if file.is_relative_to(outdir / "search" / "prose") else "code"
                write(target, as_script(call, page, *new))
    start = time.perf_counter()
    columns = word_table(outdir, [entry[0] for entry in entries], readers_words(language))
    write(outdir / "search" / "words.js", as_script("index", entries, *middle, columns))
    return len(entries), time.perf_counter() - start


def figures() -> Iterator[tuple[str, str]]:
    """For `make bench`: all queries of the repository, and some of them at ten times the pages."""
    if CHROMIUM is None:
        yield "search", "not measured: Chromium is not installed (apt-get install chromium)"
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in ("ja", "en"):
            asked = {
                name: [q for q in read_queries(QUERIES / f"{name}.json") if q["lang"] == language]
                for name in ("tuning", "set-aside")
            }
            with served(SITE) as address:
                for name, queries in asked.items():
                    for row, value in rows(measure(browser, address, queries)):
                        yield f"search, {language}, {name}: {row}", value
            pages, seconds = grow(SITE, language, Path(folder))
            yield f"search, {language}, {pages} pages: index built in", f"{seconds:.1f} s"
            copies = [f"copy{copy}/" for copy in range(1, 10)]
            for query in asked["tuning"]:
                query["pages"] += [copy + page for copy in copies for page in query["pages"]]
            with served(Path(folder)) as address:
                for row, value in rows(measure(browser, address, asked["tuning"])):
                    yield f"search, {language}, {pages} pages: {row}", value
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("queries", type=Path, help="a JSON file of queries")
    parser.add_argument(
        "--misses", action="store_true", help="list the queries without a first hit"
    )
    options = parser.parse_args()
    try:
        queries = read_queries(options.queries)
    except BadQueries as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if CHROMIUM is None:
        print("error: Chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 2
    with served(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in dict.fromkeys(query["lang"] for query in queries):
            asked = [query for query in queries if query["lang"] == language]
            measured = measure(browser, address, asked)
            print(f"{language}: {len(asked)} queries")
            for name, value in rows(measured):
                print(f"  {name:32}{value}")
            if options.misses:
                print(*(f"  {line}" for line in misses(asked, measured)), sep="\n")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
