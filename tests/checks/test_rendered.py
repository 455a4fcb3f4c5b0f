"""Two pages that match are left alone; each difference is reported under its rule."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from checks import rendered

PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<title>{title}</title>
<meta name="description" content="{description}">
</head>
<body>
<nav class="lang-switch"><a href="{other}" lang="{other}">日本語</a></nav>
<nav><p class="caption">{caption}</p></nav>
<article>
<section id="s3-gateway-endpoint">
<h1>{title}<a class="headerlink" href="#s3-gateway-endpoint" title="見出しへのリンク">¶</a></h1>
<p>{lead} <a href="https://aws.amazon.com/s3/pricing/">{price}</a></p>
<section id="create">
<h2>{create}</h2>
<div class="admonition tip"><p class="admonition-title">{tip}</p><p>{lead}</p></div>
<ul><li><p><code class="docutils literal">vpc-id</code> {lead}</p></li><li><p>{lead}</p></li></ul>
<table><tr><th>{tip}</th><th>{price}</th></tr><tr><td>S3</td><td>20,480</td></tr></table>
<label class="sd-tab-label">{tip}</label><label class="sd-tab-label">{price}</label>
<button class="copybtn" title="コピー"><p>コピー</p></button>
<div class="highlight"><pre>print("東京")  # **x** [a][b]
</pre></div>
<svg role="img" aria-label="{tip}"><!-- 図 --><text>{create}</text></svg>
<img src="_images/a{suffix}.png" alt="{tip}">
<p>{bilingual} <code>データ.csv</code></p>
<p translate="no">{lang}</p>
<dl><dt>{tip}</dt><dd><p>{lead}</p></dd></dl>
<a class="reference" href="reference/glossary.html#term-0">{price}</a>
</section>
</section>
</article>
</body>
</html>
"""
JA = PAGE.format(
    lang="ja",
    other="en",
    title="S3 への経路",
    description="経路の説明です。",
    caption="基礎",
    lead="経路です。",
    price="料金表",
    create="作る",
    tip="ヒント",
    suffix="",
    bilingual="経路表",
)
EN = PAGE.format(
    lang="en",
    other="ja",
    title="Routes to S3",
    description="What the route is.",
    caption="Foundations",
    lead="This is the route.",
    price="price list",
    create="Create",
    tip="Hint",
    suffix=".en",
    bilingual='route table (<span lang="ja">経路表</span>)',
)


def build(root: Path, ja: dict[str, str], en: dict[str, str]) -> tuple[Path, Path]:
    for language, pages in (("ja", ja), ("en", en)):
        for name, text in pages.items():
            path = root / language / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return root / "ja", root / "en"


def rules_of(root: Path, ja: str, en: str) -> list[str]:
    sites = build(root, {"a.html": ja}, {"a.html": en})
    return sorted(problem.rule for problem in rendered.check(*sites))


def test_pages_that_match_have_no_problem(tmp_path: Path) -> None:
    assert rules_of(tmp_path, JA, EN) == []


DIFFERENCES = {
    "language not declared": ('<html lang="en">', '<html lang="ja">', ["lang"]),
    "title not translated": ("<title>Routes to S3", "<title>S3 への経路", ["title"]),
    "description not translated": ("What the route is.", "経路の説明です。", ["description"]),
    "description lost": ('<meta name="description"', '<meta name="words"', ["description"]),
    "heading level": ("h2>", "h3>", ["headings"]),
    "code changed": ("# **x**", "# **y**", ["code-blocks"]),
    "space in code changed": ('print("東京")  #', 'print("東京") #', ["code-blocks"]),
    "inline code changed": ("vpc-id", "vpc_id", ["inline-code"]),
    "link to another page": ("/s3/pricing/", "/vpc/pricing/", ["links"]),
    "link to another term": ("#term-0", "#term-1", ["links"]),
    "picture changed": ("a.en.png", "b.en.png", ["images"]),
    "diagram lost": ('role="img"', "", ["images"]),
    "section id changed": ('<section id="create">', '<section id="make">', ["ids"]),
    "cell lost": ("<td>20,480</td>", "", ["tables"]),
    "row lost": ("<tr><td>S3</td><td>20,480</td></tr>", "", ["tables"]),
    "list item lost": ("<li><p>This is the route.</p></li>", "", ["items", "paragraphs"]),
    "definition lost": ("<dd><p>This is the route.</p></dd>", "", ["items", "paragraphs"]),
    "paragraph lost": ('<p class="admonition-title">Hint</p>', "", ["paragraphs"]),
    "tab lost": ('<label class="sd-tab-label">Hint</label>', "", ["tabs"]),
    "other admonition": ("admonition tip", "admonition warning", ["admonitions"]),
    "reference link printed": ("<dt>Hint", "<dt>[Hint][a]", ["raw-markup"]),
    "link printed": ("<dt>Hint", "<dt>[Hint](a.md)", ["raw-markup"]),
    "role printed": ("<dt>Hint", "<dt>{ref}Hint", ["raw-markup"]),
    "bold printed": ("<dt>Hint", "<dt>**Hint**", ["raw-markup"]),
    "directive printed": ("<dt>Hint", "<dt>:::Hint", ["raw-markup"]),
    "block lost": ("</li></ul>", "</li></ul><p>::</p>", ["paragraphs", "raw-markup"]),
    "Japanese text": ("<dt>Hint", "<dt>ヒント", ["japanese"]),
    "Japanese punctuation": ("<dt>Hint", "<dt>Hint。", ["japanese"]),
    "Japanese in a picture": ("<text>Create", "<text>作る", ["japanese"]),
    "Japanese alternative text": ('alt="Hint"', 'alt="ヒント"', ["japanese"]),
    "Japanese label": ('aria-label="Hint"', 'aria-label="ヒント"', ["japanese"]),
    "Japanese caption of the menu": ("Foundations", "基礎", ["frame"]),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_a_difference_breaks_its_rule(tmp_path: Path, case: str) -> None:
    before, after, rules = DIFFERENCES[case]
    assert before in EN
    changed = EN.replace(before, after)
    # Sections carry the ids by which the other rules say where something is.
    found = set(rules_of(tmp_path, JA, changed))
    assert found == set(rules) if case != "section id changed" else found > set(rules)


def test_the_same_title_in_both_languages_is_no_translation(tmp_path: Path) -> None:
    pages = [re.sub("<title>.*</title>", "<title>S3</title>", page) for page in (JA, EN)]
    assert rules_of(tmp_path, *pages) == ["title"]


@pytest.mark.parametrize(
    ("one", "other", "rules"),
    [
        ('<a href="a.html">A</a>', '<a href="b.html">B</a>', []),
        ("<code>a</code>", "<code>b</code>", []),
        ("<pre>a</pre>", "<pre>b</pre>", ["code-blocks"]),
        ('<p class="admonition a"></p>', '<p class="admonition b"></p>', ["admonitions"]),
    ],
)
def test_only_inline_elements_may_change_places(
    tmp_path: Path, one: str, other: str, rules: list[str]
) -> None:
    ja = JA.replace("</article>", f"{one}{other}</article>")
    en = EN.replace("</article>", f"{other}{one}</article>")
    assert rules_of(tmp_path, ja, en) == rules


def test_raw_markup_counts_in_both_languages(tmp_path: Path) -> None:
    pages = [{"a.html": page.replace("<dt>", "<dt>**")} for page in (JA, EN)]
    sites = build(tmp_path, *pages)
    found = [(problem.rule, problem.path) for problem in rendered.check(*sites)]
    assert found == [("raw-markup", sites[1] / "a.html"), ("raw-markup", sites[0] / "a.html")]


def test_pages_exist_in_both_languages(tmp_path: Path) -> None:
    generated = {"genindex.html": JA, "search.html": JA, "_static/x.html": JA}
    sites = build(
        tmp_path, {"a.html": JA, "b/c.html": JA} | generated, {"a.html": EN, "d.html": EN}
    )
    problems = rendered.check(*sites)
    assert [(problem.rule, problem.path) for problem in problems] == [
        ("page", sites[0] / "b/c.html"),
        ("page", sites[1] / "d.html"),
    ]


def test_what_is_around_every_article_is_reported_once(tmp_path: Path) -> None:
    changed = EN.replace("Foundations", "基礎")
    pages = {"a.html": changed, "b.html": changed}
    sites = build(tmp_path, dict.fromkeys(pages, JA), pages)
    assert [problem.rule for problem in rendered.check(*sites)] == ["frame"]


def test_a_site_that_is_not_built_is_a_problem(tmp_path: Path) -> None:
    sites = build(tmp_path, {"a.html": JA}, {})
    assert [(p.rule, p.path) for p in rendered.check(*sites)] == [("no-pages", sites[1])]


def test_the_command_prints_the_line_of_the_english_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = EN.replace("vpc-id", "vpc_id")
    ja, en = build(tmp_path, {"a.html": JA}, {"a.html": changed})
    assert rendered.main(["--ja", str(ja), "--en", str(en)]) == 1
    line = 1 + changed.splitlines().index(next(x for x in changed.splitlines() if "vpc_id" in x))
    out = (
        f"{en / 'a.html'}:{line}: inline-code: lost vpc-id, added vpc_id\nbuilt pages: 1 problem\n"
    )
    assert capsys.readouterr().out == out
    (en / "a.html").write_text(EN, encoding="utf-8")
    assert rendered.main(["--ja", str(ja), "--en", str(en)]) == 0


@pytest.mark.parametrize(
    ("html", "compared"),
    [
        ("<div class='highlight-console'><pre>$ ls\na\n</pre></div>", "$ ls\na\n"),
        ("<div class='spoken'><pre>$ ls\n1 件\n$ rm a\n消しました\n</pre></div>", "$ ls\n$ rm a"),
    ],
)
def test_of_what_a_program_says_the_commands_are_compared(html: str, compared: str) -> None:
    pre = BeautifulSoup(html, "html.parser").pre
    assert pre
    assert rendered.code_of(pre) == compared
