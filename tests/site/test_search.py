"""The search in real Chromium: opens on demand, finds what readers mean, breaks on nothing."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from bench.search import QUERIES, grow, measure, read_queries, served
from playwright.sync_api import Browser, Page, Route, expect
from site_search import read_script, readers_words, sign
from spelling import key, words

ROOT = Path(__file__).parents[2]
MINISEARCH = "03c27931eb603af1d3358579e9885eafdb6a2f5fa9929557b3e77d7e99d06d03"
PAGE = "foundations/redshift.html"
FIELD = "dialog.search input"
OPTIONS = "dialog.search [role=option]"
DONE = "dialog.search [role=listbox][aria-busy=false]"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script fails; texts that scripts want to show are noted."""
    context = browser.new_context()
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
    yield opened
    context.close()
    assert errors == []


def requested(page: Page) -> list[str]:
    names: list[str] = []
    page.on("request", lambda request: names.append(request.url))
    return names


def search(page: Page, address: str, query: str, language: str = "ja") -> list[str]:
    """The pages that the overlay lists, in its order once the texts are there."""
    if page.url == "about:blank":
        page.goto(f"{address}/{language}/{PAGE}")
        page.keyboard.press("/")
    page.fill(FIELD, query)
    page.wait_for_selector(DONE, state="attached")
    return shown(page)


def shown(page: Page) -> list[str]:
    links = page.locator(OPTIONS).evaluate_all("all => all.map(a => a.pathname)")
    return [re.sub(r".*/(?:ja|en)/(.*)\.html", r"\1", link) for link in links]


def hold(page: Page, pattern: str) -> Callable[[], None]:
    """A file that comes when the returned function is called, and not before."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))

    def release() -> None:
        while not held:
            page.wait_for_timeout(20)
        held[0].continue_()

    return release


# --- opening -----------------------------------------------------------------------------------


def test_nothing_of_the_search_is_loaded_before_somebody_searches(page: Page, address: str) -> None:
    names = requested(page)
    page.goto(f"{address}/ja/{PAGE}")
    page.wait_for_load_state("networkidle")
    loaded = [name.partition("?")[0] for name in names if "search" in name]
    assert loaded == [f"{address}/ja/_static/search/open.js"]
    page.keyboard.press("/")
    page.wait_for_selector(FIELD)
    page.wait_for_function("siteSearch.built")
    assert any(name.endswith("/ja/search/words.js") for name in names)
    assert not any("/en/" in name for name in names)
    assert all(name.startswith(address) for name in names)


@pytest.mark.parametrize("shortcut", ["/", "Control+k", "Meta+k"])
def test_a_key_opens_it_and_escape_gives_the_page_back(
    page: Page, address: str, shortcut: str
) -> None:
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press(shortcut)
    expect(page.locator(FIELD)).to_be_focused()
    assert page.input_value(FIELD) == ""
    page.keyboard.press("Escape")
    expect(page.locator("dialog.search")).to_be_hidden()


def test_a_slash_in_a_field_is_a_slash(page: Page, address: str) -> None:
    page.goto(f"{address}/en/search.html")
    page.locator("#search-form input").press("/")
    assert page.input_value("#search-form input") == "/"
    assert page.locator("dialog.search").count() == 0


def test_the_field_of_the_sidebar_opens_it(page: Page, address: str) -> None:
    page.goto(f"{address}/en/{PAGE}")
    page.click(".sidebar-search")
    expect(page.locator(FIELD)).to_be_focused()


def test_a_finger_opens_it_and_follows_a_result(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/ja/{PAGE}")
    page.tap("button.search-open")
    page.fill(FIELD, "ブルーグリーン")
    page.locator(OPTIONS).first.tap()
    page.wait_for_url("**/deployment/blue-green.html*")
    context.close()


@pytest.mark.parametrize("opened_by", ["/", "Tab"])
def test_no_letter_is_lost_while_the_search_loads(page: Page, address: str, opened_by: str) -> None:
    release = hold(page, "**/search/labels.js")
    page.goto(f"{address}/en/{PAGE}")
    if opened_by == "Tab":
        page.focus(".sidebar-search")
    else:
        page.keyboard.press("/")
    page.keyboard.type("shadow test")
    assert page.input_value(FIELD) == "shadow test"
    assert page.input_value(".sidebar-search") == ""
    release()
    page.wait_for_selector(DONE, state="attached")
    assert page.input_value(FIELD) == "shadow test"
    assert shown(page)[0] == "deployment/shadow-testing"


def test_enter_is_remembered_until_the_results_stand(page: Page, address: str) -> None:
    release = hold(page, "**/search/words.js")
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press("/")
    page.wait_for_selector("dialog.search [role=status]")
    page.keyboard.type("aws:SourceVpce")
    page.keyboard.press("Enter")
    release()
    page.wait_for_url("**/en/foundations/s3-gateway-endpoint.html#*")


def test_what_is_typed_while_the_index_loads_is_answered(page: Page, address: str) -> None:
    release = hold(page, "**/search/words.js")
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press("/")
    page.fill(FIELD, "shadow test")
    expect(page.locator("dialog.search [role=status]")).to_have_text("Loading the search …")
    release()
    page.wait_for_selector(DONE, state="attached")
    assert "shadow" in shown(page)[0]


# --- choosing ----------------------------------------------------------------------------------


def test_arrows_choose_and_enter_opens_the_section(page: Page, address: str) -> None:
    found = search(page, address, "max_depth", "en")
    chosen = page.locator(f"{OPTIONS}[aria-selected=true]")
    ids = page.locator(OPTIONS).evaluate_all("all => all.map(a => a.id)")
    field = page.locator(FIELD)
    assert chosen.count() == 1
    for key_pressed, wanted in (("", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", -1)):
        if key_pressed:
            page.keyboard.press(key_pressed)
        assert field.get_attribute("aria-activedescendant") == ids[wanted]
        assert chosen.get_attribute("id") == ids[wanted]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/en/{found[0]}.html*")


def test_enter_that_ends_a_conversion_opens_nothing(page: Page, address: str) -> None:
    """Japanese is typed in kana and converted: that Enter belongs to the input method."""
    search(page, address, "量子化")
    before = page.url
    page.evaluate("document.addEventListener('click', () => { window.followed = true; }, true)")
    page.locator(FIELD).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    assert page.evaluate("window.followed") is None
    assert page.url == before


def test_the_anchor_of_a_result_is_on_its_page(page: Page, address: str) -> None:
    search(page, address, "aws:SourceVpce")
    link = page.locator(OPTIONS).first
    href = str(link.get_attribute("href"))
    assert re.search(
        r"s3-gateway-endpoint\.html#s3-gateway-endpoint-\w+", link.evaluate("a => a.href")
    )
    expect(link.locator(".search-section")).not_to_be_empty()
    expect(link.locator(".search-part")).to_have_text("基盤")
    link.click()
    page.wait_for_url("**/s3-gateway-endpoint.html#*")
    assert page.locator(f"[id='{page.url.partition('#')[2]}']").count() == 1, href


def test_a_result_on_the_open_page_closes_the_search(page: Page, address: str) -> None:
    search(page, address, "Amazon Redshift", "en")
    page.locator(OPTIONS, has_text="Amazon Redshift").first.click()
    expect(page.locator("dialog.search")).to_be_hidden()


def test_the_passage_shows_what_was_found(page: Page, address: str) -> None:
    search(page, address, "シャドウテスト")
    marks = page.locator(OPTIONS).first.locator("mark").all_inner_texts()
    assert set(marks) == {"シャドーテスト"}


# --- finding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "query", "wanted"),
    [
        ("ja", "サーバレス推論", "deployment/inference-options-serverless"),
        ("ja", "シャドウ テスト", "deployment/shadow-testing"),
        ("ja", "ｓｈａｄｏｗ　ｔｅｓｔ", "deployment/shadow-testing"),
        ("ja", "ｻｰﾊﾞｰﾚｽ", "deployment/inference-options-serverless"),
        ("ja", "しゃどーてすと", "deployment/shadow-testing"),
        ("ja", "ブルー・グリーン", "deployment/blue-green"),
        ("ja", "ゲートウェイエンドポイン", "foundations/s3-gateway-endpoint"),
        ("ja", "オートスケーリグ", "deployment/autoscaling"),
        ("ja", "update_endpoint_weights_and_capacities", "deployment/ab-testing"),
        ("ja", "UPDATEENDPOINTWEIGHTSANDCAPACITIES", "deployment/ab-testing"),
        ("en", "shadow tests", "deployment/shadow-testing"),
        ("en", "シャドーテスト", "deployment/shadow-testing"),
        ("en", "blue green deployment", "deployment/blue-green"),
        ("en", "bluegreen", "deployment/blue-green"),
        ("en", "gatway endpoint", "foundations/s3-gateway-endpoint"),
        ("en", "max depth", "training/max-depth"),
        ("en", "aws:sourcevpce", "foundations/s3-gateway-endpoint"),
        ("en", "autoscal", "deployment/autoscaling"),
    ],
)
def test_one_thing_in_many_spellings(
    page: Page, address: str, language: str, query: str, wanted: str
) -> None:
    assert search(page, address, query, language)[0] == wanted


def test_spaces_around_a_query_change_nothing(page: Page, address: str) -> None:
    plain = search(page, address, "shadow test", "en")
    assert search(page, address, "   shadow\u3000  test\t ", "en") == plain


@pytest.mark.parametrize("language", ["ja", "en"])
def test_python_and_the_browser_read_the_same_words(
    page: Page, site: Path, address: str, language: str
) -> None:
    search(page, address, "x", language)
    texts = [
        file.read_text(encoding="utf-8") for file in (site / language / "search").rglob("*.js")
    ]
    lines = sorted({line for text in texts for line in re.split(r'\\n|","', text)})
    in_browser = page.evaluate(
        """lines => lines.map(line =>
          siteSearch.words(line).map(word => [word, siteSearch.key(word)]))""",
        lines,
    )
    different = [
        (line, ours, theirs)
        for line, theirs in zip(lines, in_browser, strict=True)
        if (ours := [[word, key(word)] for word in words(line)]) != theirs
    ]
    assert len(lines) > 5000
    assert different[:3] == []


# --- finding nothing, and harm -----------------------------------------------------------------


def test_nothing_found_leads_on(page: Page, address: str) -> None:
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press("/")
    page.wait_for_function("siteSearch.built")
    page.fill(FIELD, "zqxjzqxj wwvvkk")
    expect(page.locator("dialog.search [role=status]")).to_have_text("No page answers this.")
    expect(page.locator(".search-nothing")).to_contain_text("Try fewer or other words")
    assert page.locator(".search-all").is_hidden()
    assert page.locator(OPTIONS).count() == 0
    assert page.locator("dialog.search [role=listbox]").is_hidden()


def test_a_suggestion_searches(page: Page, address: str) -> None:
    search(page, address, "x", "en")
    page.fill(FIELD, "xxglossxxaryxx")
    page.click("dialog.search .search-near >> text=Glossary")
    page.wait_for_selector(DONE, state="attached")
    assert "reference/glossary" in shown(page)


HARMFUL = [
    "",
    " \t\u3000",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    ".*+?^${}()|[\\]\\\\",
    "(a+)+$",
    "[",
    "\\",
    "%00%ff&q=<b>",
    "\x00\x01\x07\x1b[31m\x7f\u200b\u202e\ufeff",
    "\ud83d",
    "__proto__ constructor toString hasOwnProperty",
    "👩‍💻🇯🇵",
    "a" * 10_000,
    "シャドー" * 2_500,
    "a b " * 2_500,
    "-" * 10_000,
    "_" * 10_000,
    "あ" * 10_000,
    "\n".join(["update_endpoint"] * 700),
]


@pytest.mark.parametrize("query", HARMFUL, ids=lambda query: repr(query[:12]) + str(len(query)))
def test_bad_input_is_harmless(page: Page, address: str, query: str) -> None:
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press("/")
    page.wait_for_function("siteSearch.built")
    page.evaluate(
        """query => {
          const field = document.querySelector("dialog.search input");
          field.value = query;
          field.dispatchEvent(new Event("input"));
        }""",
        query,
    )
    assert page.locator("dialog.search :is(img, svg, script, b, iframe)").count() == 0
    assert search(page, address, "shadow test", "en")[0] == "deployment/shadow-testing"


def test_markup_in_a_page_is_shown_as_text(page: Page, address: str) -> None:
    search(page, address, "shadow testing", "en")
    page.evaluate(
        """() => siteSearch.sections("deployment/shadow-testing").forEach(section => {
          const shown = "<img src=x onerror=alert(1)> shadow testing <b>";
          section.blocks = [{ shown, isCode: false, words: null }];
        })"""
    )
    search(page, address, "shadow testing img", "en")
    assert "<img src=x" in page.locator("dialog.search [role=listbox]").inner_text()
    assert page.locator("dialog.search :is(img, b)").count() == 0


# --- the page of results -----------------------------------------------------------------------


@pytest.mark.parametrize("from_folder", [True, False], ids=["file", "sub-path"])
def test_an_address_of_results_can_be_shared(
    page: Page, site: Path, address: str, from_folder: bool
) -> None:
    base = site.as_uri() if from_folder else address
    page.goto(f"{base}/ja/search.html?q=%E3%82%B5%E3%83%BC%E3%83%90%E3%83%AC%E3%82%B9")
    first = page.locator("#search-results li a").first
    assert "inference-options-serverless.html" in str(first.evaluate("a => a.href"))
    page.locator("#search-form input").fill("量子化")
    expect(page).to_have_url(re.compile("q=%E9%87%8F%E5%AD%90%E5%8C%96$"))
    page.locator("#search-form input").fill("")
    expect(page.locator("#search-results li")).to_have_count(0)


def test_the_overlay_leads_to_that_page(page: Page, address: str) -> None:
    search(page, address, "baking period", "en")
    page.click(".search-all a")
    page.wait_for_url("**/en/search.html?q=baking+period")
    expect(page.locator("#search-results li").first).to_be_visible()


def test_the_results_in_the_other_language(page: Page, address: str) -> None:
    page.goto(f"{address}/ja/search.html?q=max_depth")
    page.click(".lang-switch a[lang=en]")
    page.wait_for_url("**/en/search.html?q=max_depth")
    expect(page.locator("#search-results li").first).to_be_visible()


def test_an_empty_page_of_results_loads_nothing(page: Page, address: str) -> None:
    names = requested(page)
    page.goto(f"{address}/ja/search.html")
    page.wait_for_load_state("networkidle")
    assert not any("words.js" in name for name in names)


def test_without_scripts_the_page_says_why(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/en/{PAGE}")
    page.fill(".sidebar-search", "shadow")
    page.press(".sidebar-search", "Enter")
    page.wait_for_url("**/en/search.html?q=shadow")
    said = page.inner_text("article")
    context.close()
    assert "The search needs JavaScript" in said


def test_what_cannot_be_loaded_is_one_clear_line(page: Page, address: str) -> None:
    page.route("**/search/words.js", lambda route: route.abort())
    page.goto(f"{address}/ja/{PAGE}")
    page.keyboard.press("/")
    page.fill(FIELD, "量子化")
    said = "検索を読み込めませんでした。ページを再読み込みしてください。"
    expect(page.locator("dialog.search [role=status]")).to_have_text(said)
    page.goto(f"{address}/ja/search.html?q=x")
    expect(page.locator("#search-form [role=status]")).to_have_text(said)


def test_a_script_that_does_not_run_is_that_line_too(browser: Browser, address: str) -> None:
    """A host that answers every address with a page: the file loads, and is no script."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/search/words.js", lambda route: route.fulfill(body="<!doctype html>"))
    page.goto(f"{address}/en/{PAGE}")
    page.keyboard.press("/")
    page.keyboard.type("shadow")
    said = "The search could not be loaded. Reload the page to try again."
    expect(page.locator("dialog.search [role=status]")).to_have_text(said)
    page.goto(f"{address}/en/search.html?q=x")
    expect(page.locator("#search-form [role=status]")).to_have_text(said)
    context.close()


def test_without_the_overlay_there_is_the_page(page: Page, address: str) -> None:
    page.route("**/_static/search/overlay.js*", lambda route: route.abort())
    page.goto(f"{address}/ja/{PAGE}")
    page.click(".sidebar-search")
    page.wait_for_url("**/ja/search.html?q=*")


# --- for everybody -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_in_the_open_search(
    browser: Browser, address: str, scheme: Any, width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    search(page, address, "シャドーテスト")
    found = Axe().run(page, context="dialog.search").response["violations"]
    page.goto(f"{address}/ja/search.html?q=max_depth")
    page.wait_for_selector("#search-results[aria-busy=false]", state="attached")
    found += Axe().run(page, context="article").response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert [(v["id"], [n["html"][:80] for n in v["nodes"][:3]]) for v in found] == []
    assert wide == width


def test_a_screen_reader_hears_how_many(page: Page, address: str) -> None:
    search(page, address, "max_depth", "en")
    status = page.locator("dialog.search [role=status]")
    expect(status).to_have_text(re.compile(r"^Pages found: \d+$"))
    field = page.locator(FIELD)
    assert field.get_attribute("aria-expanded") == "true"
    assert field.get_attribute("aria-controls") == "search-found"
    assert page.locator("#search-found").get_attribute("role") == "listbox"


# --- what it is made of ------------------------------------------------------------------------


def test_the_engine_is_the_published_one() -> None:
    """Below its licence, the file of the npm package minisearch 7.2.0."""
    text = (ROOT / "docs" / "_static" / "search" / "minisearch.js").read_text(encoding="utf-8")
    licence, _end, code = text.partition("*/\n")
    assert "Copyright 2022 Luca Ongaro" in licence
    assert hashlib.sha256(code.encode()).hexdigest() == MINISEARCH


def test_its_licence_reaches_the_reader(site: Path) -> None:
    shipped = (site / "ja" / "_static" / "search" / "minisearch.js").read_text(encoding="utf-8")
    assert "Copyright 2022 Luca Ongaro" in shipped


def test_every_page_has_its_readers_words(site: Path) -> None:
    for language in ("ja", "en"):
        pages = {entry[0] for entry in read_script(site / language / "search" / "words.js")[0]}
        assert readers_words(language).keys() == pages
        for page, phrases in readers_words(language).items():
            assert 0 < len(phrases) == len(set(phrases)), page


def build(folder: Path, language: str = "en") -> list[Any]:
    """words.js of a small project."""
    options: list[str | Path] = ["-q", "-b", "html", "-d", folder / "trees"]
    subprocess.run(
        [sys.executable, "-m", "sphinx", *options, folder, folder / "html"],
        check=True,
        env={"PATH": "", "PYTHONPATH": str(ROOT / "docs" / "_extensions")},
    )
    return read_script(folder / "html" / "search" / "words.js")


def pages_with(index: list[Any], word: str) -> set[str]:
    """The pages that have a word in any field."""
    spelled, *columns = [column.split("\n") for column in index[-1]]
    row = [key(one) for one in spelled].index(key(word))
    signs = {sign for column in columns for sign in column[row]}
    return {entry[0] for number, entry in enumerate(index[0]) if sign(number) in signs}


def test_a_build_of_some_pages_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(
        'extensions = ["myst_parser", "site_search"]\nlanguage = "en"\nroot_doc = "index"\n'
    )
    (tmp_path / "index.md").write_text("# Start\n\n```{toctree}\none\ntwo\n```\n")
    (tmp_path / "one.md").write_text("# One\n\nAn apple.\n\n```\ngrape = 1\n```\n")
    (tmp_path / "two.md").write_text("# Two\n\nApples and pears.\n")
    index = build(tmp_path)
    assert pages_with(index, "apple") == {"one", "two"}
    assert pages_with(index, "grape") == {"one"}
    (tmp_path / "one.md").write_text("# One\n\nA cherry.\n")
    index = build(tmp_path)
    assert pages_with(index, "cherry") == {"one"}
    assert pages_with(index, "apple") == {"two"}
    assert "grape" not in index[-1][0].split("\n")
    (tmp_path / "two.md").unlink()
    (tmp_path / "index.md").write_text("# Start\n\n```{toctree}\none\n```\n")
    assert [entry[0] for entry in build(tmp_path)[0]] == ["index", "one"]
    left = [file.stem for file in (tmp_path / "html" / "search" / "prose").iterdir()]
    assert sorted(left) == ["index", "one"]


def test_a_page_without_heading_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(
        'extensions = ["myst_parser", "site_search"]\nlanguage = "de"\nroot_doc = "index"\n'
    )
    (tmp_path / "index.md").write_text("Only a sentence.\n")
    assert [entry[0] for entry in build(tmp_path)[0]] == ["index"]


# --- how well it finds -------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_known_queries_are_answered(browser: Browser, site: Path, language: str) -> None:
    """A change of a page or of the engine loses few of them; `make search-eval ARGS=--misses`."""
    queries = [q for q in read_queries(QUERIES / "tuning.json") if q["lang"] == language]
    with served(site) as address:
        measured = measure(browser, address, queries[::3])
    ranks = measured.ranks
    assert len(ranks) > 45
    assert 0 not in measured.found
    assert sum(rank == 1 for rank in ranks) / len(ranks) >= 0.9
    assert sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks) >= 0.97


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("[", "no JSON"),
        ("{}", "must be a list of queries"),
        ("[]", "must be a list of queries"),
        ('[{"lang": "ja", "q": "x"}]', "query 1: must be"),
        ('[{"lang": "ja", "q": " ", "pages": ["index"]}]', "query 1: q must be a text"),
        ('[{"lang": "ja", "q": "x", "pages": []}]', "query 1: pages must be a list"),
        ('[{"lang": "fr", "q": "x", "pages": ["index"]}]', "no page fr/index"),
        ('[{"lang": "en", "q": "x", "pages": ["nowhere"]}]', "no page en/nowhere"),
    ],
)
def test_the_evaluator_says_what_is_wrong_with_a_file(
    tmp_path: Path, site: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "queries.json"
    if content is not None:
        file.write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "bench.search", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {file}: ")
    assert said in done.stderr


def test_ten_times_the_pages_can_be_asked(site: Path, tmp_path: Path) -> None:
    """What `make bench` measures: the copies have words of their own, the pages keep theirs."""
    pages, _seconds = grow(site, "en", tmp_path)
    index = read_script(tmp_path / "en" / "search" / "words.js")
    assert pages == len(index[0]) == 10 * len(read_script(site / "en" / "search" / "words.js")[0])
    assert "deployment/shadow-testing" in pages_with(index, "shadow")
    words_before = read_script(site / "en" / "search" / "words.js")[-1][0].count("\n")
    assert index[-1][0].count("\n") > 2 * words_before
