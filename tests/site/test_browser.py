"""The site in real Chromium: accessible, readable on a phone, switching languages in place."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

TOPIC = "foundations/s3-gateway-endpoint.html"
PAGES = [
    "index.html",
    TOPIC,
    "foundations/redshift.html",
    "foundations/redshift-operations.html",
    "foundations/redshift-design.html",
    "foundations/cloudtrail.html",
    "foundations/cloudtrail-trail.html",
    "foundations/cloudtrail-integrity.html",
    "foundations/cloudtrail-queries.html",
    "foundations/cloudtrail-sample-logs.html",
    "training/xgboost.html",
    "training/xgboost-prepare.html",
    "training/xgboost-data.html",
    "training/xgboost-train.html",
    "training/xgboost-hyperparameters.html",
    "training/xgboost-deploy.html",
    "training/xgboost-explain.html",
    "training/max-depth.html",
    "training/max-depth-effects.html",
    "training/max-depth-choose.html",
    "training/tuning.html",
    "training/tuning-run.html",
    "training/tuning-compare.html",
    "training/debugger.html",
    "training/debugger-xgboost.html",
    "training/debugger-pytorch.html",
    "deployment/strategies.html",
    "deployment/traffic.html",
    "deployment/traffic-strategy.html",
    "deployment/guardrails.html",
    "deployment/guardrails-prepare.html",
    "deployment/all-at-once.html",
    "deployment/canary-linear-rolling.html",
    "deployment/blue-green.html",
    "deployment/shadow-testing.html",
    "deployment/shadow-testing-share.html",
    "deployment/sagemaker-shadow-tests.html",
    "deployment/sagemaker-shadow-tests-compare.html",
    "deployment/ab-testing.html",
    "deployment/ab-testing-peeking.html",
    "deployment/inference-options.html",
    "deployment/inference-options-serverless.html",
    "deployment/inference-options-async.html",
    "deployment/inference-options-components.html",
    "deployment/autoscaling.html",
    "deployment/model-packaging.html",
    "deployment/lambda-traffic-shifting.html",
    "deployment/lambda-traffic-shifting-boto3.html",
    "start/quickstart.html",
    "start/lab.html",
    "start/sandbox.html",
    "reference/glossary.html",
    "search.html",
    "cli/index.html",
    "cli/terraform.html",
    "cli/reference.html",
    "cli/reference-jobs.html",
]


def opened(browser: Browser, address: str, **context: object) -> Page:
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.goto(address)
    return page


COLOURS = ["color-contrast", "link-in-text-block"]
# preload reads style sheets by XHR, which file:// refuses; without resultTypes all is described
OPTIONS = {"preload": False, "resultTypes": ["violations"]}
STRUCTURE = {**OPTIONS, "rules": {name: {"enabled": False} for name in COLOURS}}


def violations(page: Page, options: dict[str, object], *left_out: str) -> list[tuple[str, object]]:
    context = {"exclude": [[selector] for selector in left_out]} if left_out else None
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [(v["id"], [n["html"][:80] for n in v["nodes"][:3]]) for v in found]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, site: Path, name: str, language: str) -> None:
    """The colours of code, thousands of words, are the same everywhere: one page shows them."""
    page = opened(browser, (site / language / name).as_uri(), color_scheme="light")
    code = () if name == TOPIC else (".highlight",)
    colours = {**OPTIONS, "runOnly": COLOURS}
    found = violations(page, STRUCTURE) + violations(page, colours, *code)
    page.emulate_media(color_scheme="dark")
    found += violations(page, colours, *code)
    page.context.close()
    assert found == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_needs_no_sideways_scrolling(
    browser: Browser, site: Path, name: str, language: str
) -> None:
    phone = {"width": 390, "height": 844}
    page = opened(browser, (site / language / name).as_uri(), viewport=phone)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.context.close()
    assert width == 390


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_fails_and_nothing_comes_from_elsewhere(
    browser: Browser, address: str, language: str
) -> None:
    page = browser.new_context().new_page()
    errors: list[str] = []
    requests: list[str] = []
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/{language}/{TOPIC}")
    page.wait_for_load_state("networkidle")
    page.context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(address)] == []


@pytest.mark.parametrize("from_folder", [True, False], ids=["file", "sub-path"])
def test_switching_the_language_keeps_page_and_anchor(
    browser: Browser, site: Path, address: str, from_folder: bool
) -> None:
    base = site.as_uri() if from_folder else address
    page = opened(browser, f"{base}/ja/{TOPIC}#s3-gateway-endpoint-limits")
    page.click(".lang-switch a[lang=en]")
    page.wait_for_url(f"{base}/en/{TOPIC}#s3-gateway-endpoint-limits")
    assert page.inner_text("#s3-gateway-endpoint-limits h2").startswith("Limits and defaults")
    page.click(".lang-switch a[lang=ja]")
    page.wait_for_url(f"{base}/ja/{TOPIC}#s3-gateway-endpoint-limits")
    page.context.close()


@pytest.mark.parametrize(("locale", "wanted"), [("ja-JP", "ja"), ("en-GB", "en"), ("fr-FR", "en")])
def test_the_entrance_sends_to_the_language_of_the_browser(
    browser: Browser, address: str, locale: str, wanted: str
) -> None:
    page = opened(browser, f"{address}/index.html", locale=locale)
    page.wait_for_url(f"{address}/{wanted}/index.html")
    page.context.close()


def test_the_entrance_offers_both_languages_without_scripts(browser: Browser, address: str) -> None:
    page = opened(browser, f"{address}/index.html", java_script_enabled=False)
    links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    page.context.close()
    assert links == ["ja/index.html", "en/index.html"]


def test_the_copy_button_gives_the_whole_program(browser: Browser, address: str) -> None:
    page = opened(
        browser, f"{address}/en/{TOPIC}", permissions=["clipboard-read", "clipboard-write"]
    )
    frame = page.locator(".example").first
    block = frame.locator(".highlight-python").first
    block.hover()
    block.locator("button.copybtn").click()
    program = page.evaluate("navigator.clipboard.readText()")
    shown = block.locator("pre").evaluate("node => node.textContent")
    output = frame.locator(".highlight-console").first
    output.hover()
    output.locator("button.copybtn").click()
    commands = page.evaluate("navigator.clipboard.readText()")
    page.context.close()
    assert program.rstrip() == shown.rstrip()
    assert program.startswith('"""Create an S3 gateway endpoint')
    assert commands.startswith("python create_endpoint.py --vpc-id vpc-1")
    assert "vpce-1" not in commands


@pytest.mark.parametrize(("language", "label"), [("ja", "コピー"), ("en", "Copy")])
def test_the_copy_button_speaks_the_language_of_the_page(
    browser: Browser, address: str, language: str, label: str
) -> None:
    page = opened(browser, f"{address}/{language}/{TOPIC}")
    shown = page.locator("button.copybtn").first.get_attribute("data-tooltip")
    page.context.close()
    assert shown == label


def test_tabs_work_without_scripts_and_by_keyboard(browser: Browser, address: str) -> None:
    page = opened(browser, f"{address}/en/{TOPIC}", java_script_enabled=False)
    tabs = page.locator(".sd-tab-set").first
    assert tabs.locator(".sd-tab-content:visible").count() == 1
    tabs.locator("label", has_text="Permissions").click()
    assert "Version" in tabs.locator(".sd-tab-content:visible").inner_text()
    page.keyboard.press("ArrowRight")
    assert "API operation" in tabs.locator(".sd-tab-content:visible").inner_text()
    page.context.close()


def test_paper_shows_all_tabs(browser: Browser, address: str) -> None:
    page = opened(browser, f"{address}/en/{TOPIC}")
    page.emulate_media(media="print")
    tabs = page.locator(".sd-tab-set").first
    visible = tabs.locator(".sd-tab-content:visible").count()
    labels = tabs.locator("label:visible").count()
    page.context.close()
    assert (visible, labels) == (3, 3)
