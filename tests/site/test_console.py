"""The lab's page in real Chromium: live, accessible, readable on a phone, in both languages."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from awslab import console
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

BUCKET = "amzn-s3-demo-bucket"
HERE = {"LocationConstraint": "ap-northeast-1"}
MARKUP = "<img src=x onerror=document.body.remove()><script>document.body.remove()</script>"
SIZES = [(390, 844), (1280, 900)]


def client(service: str, address: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=address,
        region_name="ap-northeast-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab in which nothing may go wrong."""
    yield from opened(browser)


def opened(browser: Browser, **context: Any) -> Iterator[Page]:
    tab = browser.new_context(**context).new_page()
    wrong: list[str] = []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    yield tab
    tab.context.close()
    assert wrong == []


def visit(page: Page, address: str, query: str = "?lang=en") -> None:
    page.goto(f"{address}/_lab/{query}")
    expect(page.locator("#moto")).to_have_text(re.compile(r"moto \d"))


def show(page: Page, address: str, **more: Any) -> None:
    """Visit the page with parts of the state replaced."""
    state = page.request.get(f"{address}/_lab/state").json() | more

    def answer(route: Route) -> None:
        route.fulfill(body=json.dumps(state), content_type="application/json")

    page.route("**/_lab/state", answer)


def resource(**more: Any) -> dict[str, Any]:
    return {
        "service": "sagemaker",
        "service_name": "Amazon SageMaker AI",
        "type": "endpoint",
        "account": "111122223333",
        "region": "ap-northeast-1",
        "name": "shop",
        "status": "Updating",
        "created": None,
        "billed": [
            {
                "per": "hour",
                "what": "",
                "text": "endpoint-instances",
                "values": {"count": 4, "type": "ml.m5.large"},
            }
        ],
        "detail": {},
    } | more


DEPLOYMENT = {
    "account": "111122223333",
    "region": "ap-northeast-1",
    "endpoint": "shop",
    "status": "Updating",
    "stage": "Baking",
    "old": "shop-v1",
    "new": "shop-v2",
    "share_of_new": 0.1,
    "seconds_left": 610,
}
CALL = {
    "at": "2026-11-21T09:31:02+00:00",
    "service": "sagemaker",
    "operation": "UpdateEndpointWeightsAndCapacities",
    "account": "111122223333",
    "region": "ap-northeast-1",
    "status": 400,
    "error": "ValidationException",
    "milliseconds": 12.4,
}
FULL = {
    "resources": [
        resource(),
        resource(name="a-name-" * 9, status="RollingBack", account="444455556666"),
        resource(
            service="s3",
            service_name="Amazon S3",
            type="bucket",
            name=BUCKET,
            status="",
            billed=[],
            detail={"objects": 3, "bytes": 12},
        ),
        resource(
            service="cloudwatch",
            service_name="Amazon CloudWatch",
            type="alarm",
            name="errors",
            status="INSUFFICIENT_DATA",
            billed=[],
        ),
    ],
    "deployments": [DEPLOYMENT],
    "calls": [CALL, CALL | {"status": 200, "error": ""}],
}


@pytest.mark.parametrize(
    ("language", "empty", "counts", "kind"),
    [
        ("en", "No resources yet.", "Resources: 1; what AWS would bill now: 0;", "bucket"),
        ("ja", "まだリソースはありません。", "リソース 1 個、", "バケット"),
    ],
)
def test_what_a_client_makes_appears_while_the_page_is_open(
    page: Page, lab_server: str, language: str, empty: str, counts: str, kind: str
) -> None:
    visit(page, lab_server, f"?lang={language}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#no-resources")).to_contain_text(empty)
    expect(page.locator("#no-calls")).to_be_visible()
    expect(page.locator("table:visible")).to_have_count(0)

    client("s3", lab_server).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)

    row = page.locator("#resources tbody tr:has(td)")
    expect(row.locator(".kind")).to_have_text(kind)
    expect(row.locator(".name")).to_contain_text(BUCKET)
    expect(row.locator(".name")).to_contain_text("ap-northeast-1")
    expect(page.locator("#resources tbody th")).to_have_text("Amazon S3")
    expect(page.locator("#figures")).to_contain_text(counts)
    call = page.locator("#calls tbody tr")
    expect(call.locator("td").nth(1)).to_have_text("CreateBuckets3")
    expect(call.locator("td").nth(2)).to_have_text("200")
    expect(page.locator(".empty:visible")).to_have_count(0)

    client("s3", lab_server).delete_bucket(Bucket=BUCKET)
    expect(page.locator("#no-resources")).to_be_visible()
    expect(page.locator("#calls tbody td:nth-child(2)").first).to_have_text("DeleteBuckets3")


def test_names_are_text_and_never_markup(page: Page, lab_server: str) -> None:
    client("cloudwatch", lab_server).put_metric_alarm(
        AlarmName=MARKUP,
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    visit(page, lab_server)
    expect(page.locator("#resources td.name")).to_contain_text(MARKUP)
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
@pytest.mark.parametrize("state", [{}, FULL], ids=["empty", "full"])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser,
    lab_server: str,
    state: dict[str, Any],
    size: tuple[int, int],
    language: str,
    scheme: str,
) -> None:
    width, height = size
    context = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    # axe is a script that is put into the page, which the page's policy rightly forbids.
    for page in opened(browser, bypass_csp=True, **context):
        show(page, lab_server, **state)
        visit(page, lab_server, f"?lang={language}")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:80] for n in v["nodes"][:3]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_deployment_is_a_bar(page: Page, lab_server: str) -> None:
    show(page, lab_server, **FULL)
    visit(page, lab_server)
    way = page.locator("#deployments li")
    expect(way).to_contain_text("shop")
    expect(way).to_contain_text("Baking · about 11 min left")
    expect(way.locator(".mark").nth(0)).to_have_text("shop-v1 90 %")
    expect(way.locator(".mark").nth(1)).to_have_text("shop-v2 10 %")
    bar = page.get_by_role("progressbar", name="Traffic to the new configuration: 10 %")
    expect(bar).to_have_attribute("value", "10")


def test_costs_are_in_the_words_of_the_page(page: Page, lab_server: str) -> None:
    show(page, lab_server, **FULL)
    visit(page, lab_server, "?lang=ja")
    bills = page.locator("#resources td.bill")
    expect(bills.nth(0)).to_have_text("エンドポイントのインスタンス 4 × ml.m5.large時間ごと")
    expect(bills.nth(2)).to_have_text("なし")
    expect(page.locator("td.name").nth(2)).to_contain_text("オブジェクト 3 個")
    expect(page.locator("td.name").nth(1)).to_contain_text("444455556666")  # not the own account
    expect(page.locator("td.name").nth(0)).not_to_contain_text("111122223333")


def test_the_clock_moves_by_the_keyboard(page: Page, lab_server: str) -> None:
    visit(page, lab_server)
    button = page.get_by_role("button", name="+1 h")
    before = now(page)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#now")).to_have_attribute("datetime", re.compile("."))
    page.wait_for_timeout(300)
    assert 3_600 <= now(page) - before < 3_660
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="+5 min")).to_be_focused()


def now(page: Page) -> float:
    """The time that the page shows, in seconds."""
    return float(page.locator("#now").evaluate("shown => Date.parse(shown.dateTime) / 1000"))


def test_a_running_clock_has_no_buttons(page: Page, lab_server: str) -> None:
    try:
        page.request.post(f"{lab_server}/_lab/clock", data=json.dumps({"speed": 60}))
        visit(page, lab_server)
        expect(page.locator("#gait")).to_have_text("Running 60 times as fast as real time.")
        expect(page.locator("button:visible")).to_have_count(0)
        before = now(page)
        page.wait_for_timeout(2500)
        assert 60 <= now(page) - before <= 600
    finally:
        page.request.post(f"{lab_server}/_lab/clock", data=json.dumps({"speed": None}))
    expect(page.locator("button:visible")).to_have_count(3)


def test_listeners_hear_what_changes_and_not_how_often(page: Page, lab_server: str) -> None:
    visit(page, lab_server)
    expect(page.get_by_role("status")).to_have_text("")
    page.clock.install()
    visit(page, lab_server)
    client("sns", lab_server).create_topic(Name="topic")
    page.clock.run_for(6_000)
    expect(page.get_by_role("status")).to_contain_text("Resources: 1;")


def test_the_other_language_is_a_link(page: Page, lab_server: str) -> None:
    visit(page, lab_server, "?lang=ja")
    expect(page).to_have_title("ラボ")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_title("The lab")
    page.get_by_role("link", name="日本語").click()
    expect(page).to_have_title("ラボ")


@pytest.mark.parametrize(("locale", "title"), [("ja-JP", "ラボ"), ("de-DE", "The lab")])
def test_the_language_is_the_browser_s(
    browser: Browser, lab_server: str, locale: str, title: str
) -> None:
    for page in opened(browser, locale=locale):
        visit(page, lab_server, "")
        expect(page).to_have_title(title)


def test_a_lab_that_has_ended_is_told(browser: Browser, lab_server: str) -> None:
    page = browser.new_context().new_page()
    visit(page, lab_server)
    expect(page.locator("#lost")).to_be_hidden()
    page.route("**/_lab/state", lambda route: route.abort())
    expect(page.locator("#lost")).to_have_text(console.texts("en")["page"]["lost"])
    page.unroute("**/_lab/state")
    expect(page.locator("#lost")).to_be_hidden()
    page.context.close()


def test_another_page_cannot_reach_the_lab(browser: Browser, lab_server: str, address: str) -> None:
    """The site itself, on another port, is another page too."""
    page = browser.new_context().new_page()
    page.goto(f"{address}/en/index.html")
    reached = page.evaluate(
        """async (address) => {
            const answer = await fetch(`${address}/_lab/reset`, {method: "POST", mode: "no-cors"});
            return answer.type;
        }""",
        lab_server,
    )
    topic = client("sns", lab_server).create_topic(Name="topic")["TopicArn"]
    page.evaluate(
        "address => fetch(`${address}/_lab/reset`, {method: 'POST', mode: 'no-cors'})", lab_server
    )
    page.context.close()
    assert reached == "opaque"
    found = client("sns", lab_server).list_topics()["Topics"]
    assert [each["TopicArn"] for each in found] == [topic]
