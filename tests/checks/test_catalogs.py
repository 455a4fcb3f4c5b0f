"""The gate is silent about a good translation and names the rule that a bad one breaks."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polib
import pytest

from checks import catalogs
from checks.catalogs import Problem
from checks.glossary import read_terms, unused

CONF = """
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "attrs_inline"]
language = "ja"
gettext_compact = False
gettext_location = False
"""
ENDPOINT = "foundations/s3-gateway-endpoint"
JOBS = "foundations/training-jobs"
GLOSSARY = "reference/glossary"

PAGES = {
    "index": """
(start)=
# 機械学習の基礎

```{toctree}
:caption: 基礎
foundations/s3-gateway-endpoint
foundations/training-jobs
reference/glossary
```
""",
    ENDPOINT: """---
myst:
  html_meta:
    description: NAT ゲートウェイなしで S3 を使うためのゲートウェイエンドポイントの説明です。
---
(s3-gateway-endpoint)=
# S3 のゲートウェイエンドポイント

VPC から S3 へ接続する経路です。
料金は [料金表](https://aws.amazon.com/vpc/pricing/) にあります[^free]。

[^free]: エンドポイント自体に料金はかかりません。

(s3-gateway-endpoint-create)=
## エンドポイントを作る

{term}`ルートテーブル` を 2 つ選び、`CreateVpcEndpoint` を **1 回** 呼びます。

- `vpc_id` には vpc-0123456789abcdef0 のような値を渡します。
- バケット名 <BUCKET> と {region} は自分の値に置き換えます。

(s3-gateway-endpoint-limits)=
## 制限

詳しくは {ref}`学習ジョブの節 <training-jobs>` と
[注意点](#s3-gateway-endpoint-create) を参照してください。

| 項目 | 値 |
|---|---|
| ポリシーの長さ | 20,480 文字まで |
| DynamoDB | 255 |

オンプレミスのネットワークからは、ゲートウェイエンドポイントを使えません。

:::{admonition} 状態
すべてのリージョンで使えます。
:::

![VPC、ルートテーブル、S3 の関係](a.png)
""",
    JOBS: """
(training-jobs)=
# 学習ジョブ

過学習を防ぐには、検証データの損失が下がらなくなった時点で学習を止めます。

スポットインスタンスは中断されることがあるため、チェックポイントを保存しなければなりません。

```{code-block} python
:caption: 学習ジョブを始める

start()
```

(training-jobs-cost)=
## 料金

課金されるのは、インスタンスが動いている秒数だけです。
""",
    GLOSSARY: """
(glossary)=
# 用語集

:::{glossary}
ルートテーブル
  サブネットの経路を決める表です。

エンドポイント
  サービスへの入口です。

ゲートウェイエンドポイント
ゲートウェイ型エンドポイント
  S3 と DynamoDB のための経路です。

過学習
オーバーフィッティング
  学習データに合いすぎた状態です。
:::
""",
}

REGION = "バケット名 <BUCKET> と {region} は自分の値に置き換えます。"
SELECT = "{term}`ルートテーブル` を 2 つ選び、`CreateVpcEndpoint` を **1 回** 呼びます。"
SELECT_EN = (
    "Choose two {term}`route tables <ルートテーブル>` and call `CreateVpcEndpoint` **once**."
)
CONNECT = (
    "VPC から S3 へ接続する経路です。 "
    "料金は [料金表](https://aws.amazon.com/vpc/pricing/) にあります[^free]。"
)
CONNECT_EN = (
    "This is the route from a VPC to S3. "
    "What it costs is in the [price list](https://aws.amazon.com/vpc/pricing/)[^free]."
)
VPC_ID = "`vpc_id` には vpc-0123456789abcdef0 のような値を渡します。"
SEE = (
    "詳しくは {ref}`学習ジョブの節 <training-jobs>` と "
    "[注意点](#s3-gateway-endpoint-create) を参照してください。"
)
SEE_EN = (
    "For details see {ref}`the section on training jobs <training-jobs>` "
    "and [what to watch](#s3-gateway-endpoint-create)."
)
ON_PREMISES = "オンプレミスのネットワークからは、ゲートウェイエンドポイントを使えません。"
OVERFITTING = "過学習を防ぐには、検証データの損失が下がらなくなった時点で学習を止めます。"
SPOT = (
    "スポットインスタンスは中断されることがあるため、チェックポイントを保存しなければなりません。"
)
SPOT_EN = "Spot instances can be interrupted, so checkpoints must be saved."
SECONDS = "課金されるのは、インスタンスが動いている秒数だけです。"
SECONDS_EN = "Only the seconds during which an instance runs are billed."
FREE = "エンドポイント自体に料金はかかりません。"

ENGLISH = {
    "機械学習の基礎": "Getting started with machine learning",
    "基礎": "Foundations",
    "NAT ゲートウェイなしで S3 を使うためのゲートウェイエンドポイントの説明です。": (
        "How a gateway endpoint gives access to S3 without a NAT gateway."
    ),
    "S3 のゲートウェイエンドポイント": "Gateway endpoints for S3",
    CONNECT: CONNECT_EN,
    FREE: "The endpoint itself costs nothing.",
    "エンドポイントを作る": "Creating an endpoint",
    SELECT: SELECT_EN,
    VPC_ID: "Pass a value such as vpc-0123456789abcdef0 as `vpc_id`.",
    REGION: "Replace the bucket name <BUCKET> and {region} by your own values.",
    "制限": "Limits",
    SEE: SEE_EN,
    "項目": "Item",
    "値": "Value",
    "ポリシーの長さ": "Length of the policy",
    "20,480 文字まで": "at most 20,480 characters",
    "DynamoDB": "DynamoDB",
    "255": "255",
    ON_PREMISES: "On-premises networks cannot use a gateway endpoint.",
    "状態": "Status",
    "すべてのリージョンで使えます。": "Available in all Regions.",
    "![VPC、ルートテーブル、S3 の関係](a.png)": "![How VPC, route table and S3 relate](a.png)",
    "VPC、ルートテーブル、S3 の関係": "How VPC, route table and S3 relate",
    "学習ジョブ": "Training jobs",
    OVERFITTING: (
        "To avoid overfitting, stop training when the loss on the validation data no longer falls."
    ),
    SPOT: SPOT_EN,
    "学習ジョブを始める": "Starting a training job",
    "料金": "What it costs",
    SECONDS: SECONDS_EN,
    "用語集": "Glossary",
    "ルートテーブル": "route table",
    "サブネットの経路を決める表です。": "The table that decides the routes of a subnet.",
    "エンドポイント": "endpoint",
    "サービスへの入口です。": "The way into a service.",
    "ゲートウェイエンドポイント": "gateway endpoint",
    "ゲートウェイ型エンドポイント": "gateway-type endpoint",
    "S3 と DynamoDB のための経路です。": "A route to S3 and DynamoDB.",
    "過学習": "overfitting",
    "オーバーフィッティング": "over-fitting",
    "学習データに合いすぎた状態です。": "A model that fits its training data too closely.",
}


class Site(NamedTuple):
    docs: Path
    catalogs: Path
    pot: Path

    def problems(self) -> list[Problem]:
        return catalogs.check(*self)

    def rules(self) -> set[str]:
        return {problem.rule for problem in self.problems()}

    def open(self, page: str) -> polib.POFile:
        return polib.pofile(str(self.catalogs / f"{page}.po"), wrapwidth=0)

    def translate(self, page: str, msgid: str, msgstr: str, comment: str = "") -> None:
        catalog = self.open(page)
        entry = catalog.find(msgid)
        entry.msgstr, entry.tcomment = msgstr, comment
        catalog.save()


def extract(root: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-M", "gettext", "docs", "_build", "-c", ".", "-q"]
    subprocess.run(command, cwd=root, check=True)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site with complete catalogs, extracted by the real builder."""
    root = tmp_path_factory.mktemp("site")
    (root / "conf.py").write_text(CONF, encoding="utf-8")
    for name, text in PAGES.items():
        path = root / "docs" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    (root / "docs/foundations/a.png").touch()
    extract(root)
    for pot in (root / "_build/gettext").rglob("*.pot"):
        catalog = polib.pofile(str(pot), wrapwidth=0)
        for entry in catalog:
            entry.msgstr = ENGLISH[entry.msgid]
        path = root / "locale" / pot.relative_to(root / "_build/gettext").with_suffix(".po")
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog.save(str(path))
    return root


@pytest.fixture
def site(clean: Path, tmp_path: Path) -> Site:
    shutil.copytree(clean, tmp_path, dirs_exist_ok=True)
    return Site(tmp_path / "docs", tmp_path / "locale", tmp_path / "_build/gettext")


def test_the_clean_site_has_no_problem(site: Site) -> None:
    assert site.problems() == []
    assert sum(len(site.open(page)) for page in PAGES) >= 40


# --- one bad translation at a time -------------------------------------------

BAD_TRANSLATIONS = {
    "untranslated": (REGION, "", {"empty"}),
    "code typo": (
        SELECT,
        SELECT_EN.replace("Endpoint", "Endpiont"),
        {
            "code",
        },
    ),
    "code dropped": (SELECT, SELECT_EN.replace("`CreateVpcEndpoint`", "it"), {"code"}),
    "URL changed": (CONNECT, CONNECT_EN.replace("vpc/", "s3/"), {"links"}),
    "link syntax broken": (CONNECT, CONNECT_EN.replace("](", "] ("), {"link-space"}),
    "link target lost": (SEE, SEE_EN.replace("(#s3-gateway-endpoint-create)", ""), {"links"}),
    "reference link": (
        SEE,
        SEE_EN.replace("(#s3-gateway-endpoint-create)", "[create]"),
        {"links", "reference-link"},
    ),
    "ref target wrong": (SEE, SEE_EN.replace("<training-jobs>", "<training-job>"), {"roles"}),
    "role dropped": (
        SEE,
        SEE_EN.replace("{ref}`the section on training jobs <training-jobs>`", "the other page"),
        {"roles"},
    ),
    "role typo": (SEE, SEE_EN.replace("{ref}", "{rfe}"), {"roles"}),
    "term to another target": (
        SELECT,
        SELECT_EN.replace("<ルートテーブル>", "<過学習>"),
        {"roles"},
    ),
    "term without target": (
        SELECT,
        SELECT_EN.replace(" <ルートテーブル>", ""),
        {"roles", "term-target"},
    ),
    "number changed": (SELECT, SELECT_EN.replace("two", "three"), {"numbers"}),
    "thousands figure changed": ("20,480 文字まで", "at most 20,840 characters", {"numbers"}),
    "odd backtick": (SELECT, SELECT_EN.replace("Endpoint`", "Endpoint"), {"code", "backticks"}),
    "Japanese left in": (SPOT, SPOT_EN.replace("checkpoints", "チェックポイント"), {"japanese"}),
    "Japanese punctuation left": (SPOT, SPOT_EN.replace(", ", "、"), {"japanese"}),
    "full-width form left": (SPOT, SPOT_EN.replace("be saved", "be saved（always）"), {"japanese"}),
    "source copied": (SPOT, SPOT, {"copied"}),
    "bold dropped": (SELECT, SELECT_EN.replace("**", ""), {"bold"}),
    "term inconsistent": (
        SELECT,
        SELECT_EN.replace("route tables", "routing tables"),
        {"glossary"},
    ),
    "longest term inconsistent": (
        ON_PREMISES,
        "On-premises networks cannot use an endpoint.",
        {"glossary"},
    ),
    "sentence cut": (CONNECT, CONNECT_EN.split(" What")[0], {"links", "footnotes"}),
    "half a sentence cut": (SPOT, SPOT_EN.split(",")[0], {"length"}),
    "two texts in one": (SPOT, f"{SPOT_EN} {SECONDS_EN} {SECONDS_EN}", {"length"}),
    "placeholder dropped": (REGION, ENGLISH[REGION].replace(" <BUCKET>", ""), {"placeholders"}),
    "placeholder changed": (
        REGION,
        ENGLISH[REGION].replace("{region}", "{Region}"),
        {"placeholders"},
    ),
    "id changed": (VPC_ID, ENGLISH[VPC_ID].replace("vpc-0123", "vpc-0124"), {"placeholders"}),
    "name lost": (
        "S3 と DynamoDB のための経路です。",
        "A route to S3 and databases.",
        {"names"},
    ),
    "footnote lost": (CONNECT, CONNECT_EN.replace("[^free]", ""), {"footnotes"}),
    "negation lost": (ON_PREMISES, "On-premises networks use a gateway endpoint.", {"negation"}),
    "negation added": (SPOT, SPOT_EN.replace("must be", "must not be"), {"negation"}),
    "list syntax": (SPOT, f"- {SPOT_EN}", {"block"}),
    "numbered list syntax": (SECONDS, f"1. {SECONDS_EN}", {"block", "numbers"}),
    "heading syntax": ("料金", "# What it costs", {"block"}),
    "second block": (SPOT, SPOT_EN.replace(", ", ",\n\n"), {"block"}),
    "heading of another section": ("料金", "Limits", {"heading"}),
}


@pytest.mark.parametrize("case", BAD_TRANSLATIONS)
def test_a_bad_translation_breaks_its_rule(site: Site, case: str) -> None:
    msgid, msgstr, rules = BAD_TRANSLATIONS[case]
    page = next(page for page in PAGES if site.open(page).find(msgid))
    site.translate(page, msgid, msgstr)
    found = site.problems()
    assert {problem.rule for problem in found} == rules
    assert {problem.text for problem in found} == {msgid}


def swap(site: Site, page: str, one: str, other: str) -> None:
    site.translate(page, one, ENGLISH[other])
    site.translate(page, other, ENGLISH[one])


def test_two_headings_swapped(site: Site) -> None:
    swap(site, ENDPOINT, "制限", "エンドポイントを作る")
    assert {(p.rule, p.text) for p in site.problems()} >= {
        ("heading", "制限"),
        ("heading", "エンドポイントを作る"),
    }


def test_two_headings_swapped_that_share_a_word(site: Site) -> None:
    page = site.docs / f"{JOBS}.md"
    labelled = page.read_text(encoding="utf-8").replace("training-jobs-cost", "cost-of-jobs")
    page.write_text(labelled, encoding="utf-8")
    site.translate(JOBS, "学習ジョブ", "What jobs cost")
    site.translate(JOBS, "料金", "Training jobs")
    assert [(p.rule, p.what) for p in site.problems() if p.rule == "heading"] == [
        ("heading", "swapped with 料金?"),
        ("heading", "swapped with 学習ジョブ?"),
    ]


def test_two_sentences_swapped(site: Site) -> None:
    swap(site, ENDPOINT, VPC_ID, REGION)
    assert site.rules() == {"code", "placeholders"}


def test_two_sentences_swapped_that_hold_words_only(site: Site) -> None:
    swap(site, JOBS, OVERFITTING, SECONDS)
    assert site.rules() == {"glossary", "length"}


# --- catalogs and sources that do not match ----------------------------------


def remove_catalog(site: Site) -> None:
    (site.catalogs / f"{JOBS}.po").unlink()


def add_orphan(site: Site) -> None:
    shutil.copy(site.catalogs / f"{JOBS}.po", site.catalogs / "old.po")


def mark_fuzzy(site: Site) -> None:
    catalog = site.open(JOBS)
    catalog.find(SPOT).flags.append("fuzzy")
    catalog.save()


def make_obsolete(site: Site) -> None:
    catalog = site.open(JOBS)
    catalog.append(polib.POEntry(msgid="昔の文", msgstr="An old sentence", obsolete=True))
    catalog.save()


def add_entry(site: Site) -> None:
    catalog = site.open(JOBS)
    catalog.append(polib.POEntry(msgid="昔の文", msgstr="An old sentence"))
    catalog.save()


def edit_page(site: Site) -> None:
    page = site.docs / f"{JOBS}.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n新しい文です。\n", encoding="utf-8")
    extract(site.docs.parent)


def remove_label(site: Site) -> None:
    page = site.docs / f"{JOBS}.md"
    text = page.read_text(encoding="utf-8").replace("(training-jobs-cost)=\n", "")
    page.write_text(text, encoding="utf-8")


def forget_extraction(site: Site) -> None:
    shutil.rmtree(site.pot)


def forget_terms(site: Site) -> None:
    page = site.docs / f"{GLOSSARY}.md"
    text = page.read_text(encoding="utf-8").replace("{glossary}", "{list}")
    page.write_text(text, encoding="utf-8")


MISMATCHES: list[tuple[Callable[[Site], None], str]] = [
    (remove_catalog, "no-catalog"),
    (add_orphan, "orphan"),
    (mark_fuzzy, "fuzzy"),
    (make_obsolete, "obsolete"),
    (add_entry, "extra"),
    (edit_page, "missing"),
    (remove_label, "heading"),
    (forget_extraction, "no-pot"),
    (forget_terms, "no-terms"),
]


@pytest.mark.parametrize(
    ("change", "rule"), MISMATCHES, ids=lambda value: getattr(value, "__name__", "")
)
def test_catalog_and_source_belong_together(
    site: Site, change: Callable[[Site], None], rule: str
) -> None:
    change(site)
    assert [problem.rule for problem in site.problems()] == [rule]


def test_a_missing_entry_is_reported_at_its_source_line(site: Site) -> None:
    edit_page(site)
    problem = site.problems()[0]
    page = site.docs / f"{JOBS}.md"
    assert (problem.path, problem.text) == (page, "新しい文です。")
    assert page.read_text(encoding="utf-8").splitlines()[problem.line - 1] == "新しい文です。"


# --- overrides ---------------------------------------------------------------


def test_a_comment_switches_off_one_rule(site: Site) -> None:
    bad = "On-premises networks use an endpoint."
    site.translate(ENDPOINT, ON_PREMISES, bad, "gate: allow negation")
    assert site.rules() == {"glossary"}
    site.translate(ENDPOINT, ON_PREMISES, bad, "a note\ngate: allow negation, glossary")
    assert site.rules() == set()


def test_a_comment_that_is_not_needed_is_a_problem(site: Site) -> None:
    site.translate(ENDPOINT, ON_PREMISES, ENGLISH[ON_PREMISES], "gate: allow negation")
    assert site.rules() == {"override"}


def test_a_comment_cannot_leave_an_entry_untranslated(site: Site) -> None:
    site.translate(ENDPOINT, ON_PREMISES, "", "gate: allow empty")
    assert site.rules() == {"empty"}


# --- good translations -------------------------------------------------------

GOOD = [
    ("2 つのルートテーブルを関連付けます。", "Associate two route tables."),
    ("バケット名は一意でなければなりません。", "The bucket name must be unique."),
    ("S3 だけでなく DynamoDB も使えます。", "DynamoDB can be used as well as S3."),
    ("指定できるサービスは 2 つしかありません。", "Only two services can be chosen."),
    ("接続が切れるかもしれません。", "Connections may be cut."),
    ("対象は S3 に限らず、すべてのサービスです。", "This holds for all services, S3 or other."),
    ("NAT ゲートウェイは不要です。", "There is no need for a NAT gateway."),
    (
        "設定しない場合は、既定のポリシーになります。",
        "If it is omitted, the default policy applies.",
    ),
    ("鍵がないと復号できません。", "Decryption fails without the key."),
    ("経路がまだありません。", "The route is still missing."),
    ("失敗しても課金されません。", "A failure is not billed."),
    ("少なくとも 3 つの AZ を選びます。", "Choose at least three AZs."),
    ("２０，４８０文字までです。", "The limit is 20480 characters."),
    ("1 万件を 2 回に分けて送ります。", "Send the 10,000 records in two batches."),
    ("1.5 億行を 5 % 抽出します。", "Sample 5% of the 150 million rows."),
    ("1 つの VPC に複数作れます。", "A VPC can hold several of them."),
    ("2026 年 11 月 20 日に確認しました。", "Checked on 20 November 2026."),
    ("確認日は 2026-11-20 です。", "Checked on November 20, 2026."),
    ("2 つ以上のルートを持つ表です。", "A table with more than one route."),
    ("一般に、十分な容量を二つの AZ に置きます。", "In general, put enough capacity into 2 AZs."),
    ("第 2 世代は処理が 2 倍速くなります。", "The second generation is twice as fast."),
    ("`--no-verify` を付けないでください。", "Do not add `--no-verify`."),
    (
        "{abbr}`AZ (アベイラビリティーゾーン)` を選びます。",
        "Choose an {abbr}`AZ (Availability Zone)`.",
    ),
    ("**ルートテーブル**を選びます。", "Choose the **route table**."),
    (
        "[S3 の文書](https://docs.aws.amazon.com/s3/)を、まず必ず読みます。",
        "Always read the [S3 documentation](https://docs.aws.amazon.com/s3/) first.",
    ),
    (
        "オーバーフィッティングとは、モデルが過学習した状態です。",
        "A model overfits when it has learned its training data by heart.",
    ),
    ("よくある誤解", "Often said, but wrong"),
    ("うまくいかないとき", "When it goes wrong"),
    ("名前は変わりません。", "Names stay as they are."),
    ("必須ではありませんが、推奨されます。", "This is optional, but recommended."),
    ("4 時間以内に完了しない場合は失敗とみなされます。", "Beyond 4 hours, it counts as failed."),
    ("設定を変えない限り、動作は同じです。", "It stays the same unless settings change."),
    ("1 秒間に 100 件までです。", "The limit is 100 per second."),
    ("経路を 1 本加えるだけで、NAT を通らずに届きます。", "One more route, and no NAT is needed."),
    ("新規の受け付けは 2026 年 7 月で終わりました。", "Closed to new customers since July 2026."),
    ("順番はどちらでもかまいません。", "The order does not matter."),
    ("問題がなければ 100 % に切り替えます。", "If all is well, switch to 100%."),
    ("シャドウの応答は利用者には返りません。", "Responses of the shadow never reach users."),
    ("moto では動かないため、実行できません。", "This cannot be run, as moto does not do it."),
    (
        "損失が 5 エポック続けて改善しなければ止まります。",
        "It stops after five epochs without gain.",
    ),
    ("ゲートウェイエンドポイントを削除します。", "Gateway endpoints are deleted."),
    (
        "この値は変更できません。ただし追加はできます。",
        "This value is fixed. It cannot be changed, only added to.",
    ),
    (
        '日本語の表記は<span lang="ja">経路表</span>です。',
        'In Japanese it is <span lang="ja">経路表</span>.',
    ),
    ("`ab` ではなく ``a`b`` と書きます。", "Write ``a`b`` instead of `ab`."),
]


@pytest.mark.parametrize(("japanese", "english"), GOOD, ids=[japanese for japanese, _ in GOOD])
def test_a_good_translation_breaks_no_rule(clean: Path, japanese: str, english: str) -> None:
    terms = read_terms(clean / f"docs/{GLOSSARY}.md", clean / f"locale/{GLOSSARY}.po")
    assert list(catalogs.compare(japanese, english, terms)) == []


# --- the term table ----------------------------------------------------------


def test_terms_come_from_the_glossary_page(clean: Path) -> None:
    terms = read_terms(clean / f"docs/{GLOSSARY}.md", clean / f"locale/{GLOSSARY}.po")
    endpoint = ("gateway endpoint", "gateway-type endpoint")
    overfitting = ("overfitting", "over-fitting")
    assert terms == {
        "ゲートウェイ型エンドポイント": endpoint,
        "ゲートウェイエンドポイント": endpoint,
        "オーバーフィッティング": overfitting,
        "ルートテーブル": ("route table",),
        "エンドポイント": ("endpoint",),
        "過学習": overfitting,
    }
    assert list(map(len, terms)) == sorted(map(len, terms), reverse=True)


@pytest.mark.parametrize(
    ("japanese", "english", "complaint"),
    [
        ("推論エンドポイント", "inference endpoints", ""),
        ("推論エンドポイント", "endpoints", "推論エンドポイント is called inference endpoint"),
        ("推論エンドポイントと別のエンドポイント", "inference endpoints and another one", ""),
        ("エンドポイント", "URL", "エンドポイント is called endpoint"),
        ("ロールを渡す", "Pass the roles", ""),
        ("ロールを渡す", "Pass the right", "ロール is called role"),
        ("ロールバックを始める", "Start to go back", ""),
    ],
)
def test_the_longest_whole_term_counts(japanese: str, english: str, complaint: str) -> None:
    terms = {
        "推論エンドポイント": ("inference endpoint",),
        "エンドポイント": ("endpoint",),
        "ロール": ("role",),
    }
    assert unused(japanese, english, terms).startswith(complaint)
    assert bool(unused(japanese, english, terms)) == bool(complaint)


# --- the command -------------------------------------------------------------


def test_the_command_prints_one_line_for_each_problem(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--docs", str(site.docs), "--catalogs", str(site.catalogs), "--pot", str(site.pot)]
    assert catalogs.main(options) == 0
    assert capsys.readouterr().out == "catalogs: 0 problems\n"
    site.translate(JOBS, SPOT, SPOT)
    line = site.open(JOBS).find(SPOT).linenum
    assert catalogs.main(options) == 1
    what = "copied: the Japanese text stands in place of the English"
    path = site.catalogs / f"{JOBS}.po"
    assert capsys.readouterr().out == f"{path}:{line}: {what} | {SPOT[:40]}\ncatalogs: 1 problem\n"


def test_catalogs_written_by_sphinx_intl_keep_the_comment(site: Site) -> None:
    root = site.docs.parent
    intl = root / "intl/en/LC_MESSAGES"
    shutil.copytree(site.catalogs, intl)
    moved = Site(site.docs, intl, site.pot)
    moved.translate(ENDPOINT, ON_PREMISES, "On-premises networks use none.", "gate: allow glossary")
    edit_page(moved)
    command = ["update", "-p", str(site.pot), "-l", "en", "-w", "0", "--no-obsolete", "-d", "intl"]
    subprocess.run([sys.executable, "-m", "sphinx_intl", *command], cwd=root, check=True)
    assert [(p.rule, p.text) for p in moved.problems()] == [("empty", "新しい文です。")]
