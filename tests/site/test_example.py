"""The directive `example`: markers, highlighted lines, tabs, and errors that say what to do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import example
import pytest
from bs4 import BeautifulSoup, Tag
from sphinx.testing.util import SphinxTestApp

SOURCE = '''\
"""Do it."""
first = 1
# [start: middle]
second = 2
third = 3
# [end: middle]
'''
CALLS = [
    {"service": "ec2", "operation": "DescribeVpcs", "actions": ["ec2:DescribeVpcs"]},
    {"service": "s3", "operation": "PutObject", "actions": ["s3:PutObject"]},
    {"service": "ec2", "operation": "DescribeVpcs", "actions": ["ec2:DescribeVpcs"]},
]
RUN = {
    "calls": CALLS,
    "dependent_actions": {"ec2:DescribeVpcs": ["ec2:CreateTags"]},
    "fault_runs": 12,
    "ran_on": "lab",
    "versions": {"boto3": "1.2.3", "moto": "4.5.6"},
    "recorded": "2026-01-02",
}
SQL_RUN = {
    "ran_on": "lab",
    "versions": {"boto3": "1.2.3", "moto": "4.5.6", "duckdb": "7.8.9"},
    "recorded": "2026-01-02",
}
LOCAL_RUN = {"ran_on": "local", "versions": {"duckdb": "7.8.9"}, "recorded": "2026-01-02"}
CONF = """\
extensions = ["myst_parser", "sphinx_design", "example"]
myst_enable_extensions = ["colon_fence"]
"""

Build = Callable[[str], SphinxTestApp]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Build one page that holds the given Markdown; the examples lie in tmp_path."""
    folder = tmp_path / "examples" / "topic"
    folder.mkdir(parents=True)
    (folder / "do_it.py").write_text(SOURCE)
    (folder / "do_it.out").write_text("$ python do_it.py\ndone\n")
    (folder / "do_it.policy.json").write_text('{"Version": "2012-10-17"}\n')
    (folder / "do_it.run.json").write_text(json.dumps(RUN))
    (folder / "ask.sql").write_text("SELECT 1;\n")
    (folder / "ask.out").write_text("$ python do_it.py ask.sql\n1\n")
    (folder / "ask.run.json").write_text(json.dumps(SQL_RUN))
    (folder / "alone.py").write_text('"""Alone."""\n')
    (folder / "alone.out").write_text("$ python alone.py\n")
    (folder / "alone.run.json").write_text(json.dumps(LOCAL_RUN))
    (folder / "scenarios.toml").write_text(
        '[do_it]\nbefore = ["python prepare.py"]\nrun = []\n'
        '[ask]\nbefore = ["python prepare.py"]\nrun = []\n[alone]\nrun = []\n'
    )
    (folder / "go.sh").write_text("make run\n")
    (folder / "go.out").write_text("$ make run\nran\n")
    monkeypatch.setattr(example, "EXAMPLES", tmp_path / "examples")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "conf.py").write_text(CONF)

    apps: list[SphinxTestApp] = []

    def run(text: str) -> SphinxTestApp:
        (docs / "index.md").write_text(f"# Title\n\n{text}\n")
        app = SphinxTestApp("html", srcdir=docs, warningiserror=False)
        apps.append(app)
        app.build()
        return app

    yield run
    for app in apps:
        app.cleanup()  # the nodes that it has registered would be known to the next test


def frame_of(app: SphinxTestApp) -> Tag:
    html = Path(app.outdir, "index.html").read_text(encoding="utf-8")
    frame = BeautifulSoup(html, "html.parser").select_one(".example")
    assert frame is not None
    return frame


def test_the_whole_file_is_shown_with_the_marked_lines_highlighted(build: Build) -> None:
    app = build(":::{example} topic/do_it\n:highlight: middle\nIt *does* it.\n:::")
    frame = frame_of(app)
    shown = frame.select_one(".highlight-python pre")
    assert shown is not None
    assert shown.get_text() == '"""Do it."""\nfirst = 1\nsecond = 2\nthird = 3\n'
    highlighted = [span.get_text().rstrip("\n") for span in shown.select(".hll")]
    assert highlighted == ["second = 2", "third = 3"]
    caption = frame.select_one(".example-caption")
    assert caption is not None
    assert caption.get_text() == "It does it."
    file = Path(app.outdir, "_downloads", "topic", "do_it.py")
    assert file.read_text() == shown.get_text()
    assert app.warning.getvalue() == ""


def test_several_markers_are_highlighted(build: Build, tmp_path: Path) -> None:
    source = tmp_path / "examples" / "topic" / "do_it.py"
    source.write_text(f"# [start: top]\nzeroth = 0\n# [end: top]\n{SOURCE}")
    frame = frame_of(build(":::{example} topic/do_it\n:highlight: top middle\nx\n:::"))
    highlighted = [span.get_text().rstrip("\n") for span in frame.select(".hll")]
    assert highlighted == ["zeroth = 0", "second = 2", "third = 3"]


def test_a_tolerance_is_told(build: Build, tmp_path: Path) -> None:
    (tmp_path / "examples" / "topic" / "alone.run.json").write_text(
        json.dumps(LOCAL_RUN | {"tolerance": 0.02})
    )
    told = frame_of(build(":::{example} topic/alone\nx\n:::")).select_one(".example-ran")
    assert told is not None
    assert told.get_text().endswith(
        "On another machine the numbers may differ by up to 2%, small ones by 0.02."
    )


def test_measurements_are_told(build: Build, tmp_path: Path) -> None:
    (tmp_path / "examples" / "topic" / "alone.run.json").write_text(
        json.dumps(LOCAL_RUN | {"measured": True})
    )
    told = frame_of(build(":::{example} topic/alone\nx\n:::")).select_one(".example-ran")
    assert told is not None
    assert told.get_text().endswith("measurements of this run; every run gives others.")


def test_the_tabs_hold_output_permissions_and_calls(build: Build) -> None:
    frame = frame_of(build(":::{example} topic/do_it\nCaption.\n:::"))
    assert [label.get_text().strip() for label in frame.select("label")] == [
        "Output",
        "Permissions",
        "API calls",
    ]
    output, permissions, calls = frame.select(".sd-tab-content")
    blocks = [block.get_text() for block in output.select("pre")]
    assert blocks == ["$ python do_it.py\ndone\n", "$ python prepare.py\n"]
    policy = permissions.select_one("pre")
    assert policy is not None
    assert json.loads(policy.get_text()) == {"Version": "2012-10-17"}
    assert "depending on the parameters: ec2:CreateTags." in permissions.text
    rows = [[cell.get_text().strip() for cell in row.select("td")] for row in calls.select("tr")]
    assert rows[1:] == [
        ["ec2:DescribeVpcs", "ec2:DescribeVpcs", "2"],
        ["s3:PutObject", "s3:PutObject", "1"],
    ]
    ran = frame.select_one(".example-ran")
    assert ran is not None
    assert "moto 4.5.6" in ran.text
    assert "2026-01-02" in ran.text
    assert "In 12 further runs" in ran.text


def test_sql_is_shown_with_its_output_and_engine_and_without_tabs(build: Build) -> None:
    app = build(":::{sql} topic/ask\nIt asks.\n:::")
    frame = frame_of(app)
    assert [block.get_text() for block in frame.select("pre")] == [
        "SELECT 1;\n",
        "$ python do_it.py ask.sql\n1\n",
        "$ python prepare.py\n",
    ]
    assert frame.select("label") == []
    ran = frame.select_one(".example-ran")
    assert ran is not None
    assert "with boto3 1.2.3, duckdb 7.8.9, recorded on 2026-01-02; not run on AWS." in ran.text
    assert "to DuckDB" in ran.text
    link = frame.select_one("a[download]")
    assert link is not None
    assert link["href"] == "_downloads/topic/ask.sql"
    assert Path(app.outdir, str(link["href"])).read_text() == "SELECT 1;\n"


def test_a_program_without_calls_shows_neither_permissions_nor_calls(build: Build) -> None:
    frame = frame_of(build(":::{example} topic/alone\nCaption.\n:::"))
    assert [label.get_text().strip() for label in frame.select("label")] == ["Output"]
    ran = frame.select_one(".example-ran")
    assert ran is not None
    assert ran.text == ("Ran locally with duckdb 7.8.9, recorded on 2026-01-02; calls no AWS API.")


def test_a_shell_example_shows_commands_and_output(build: Build) -> None:
    frame = frame_of(build(":::{shell} topic/go\nCaption.\n:::"))
    assert [block.get_text() for block in frame.select("pre")] == [
        "make run\n",
        "$ make run\nran\n",
    ]


def test_a_file_that_is_no_program_is_shown_whole(build: Build, tmp_path: Path) -> None:
    text = 'region = "ap-northeast-1" # [start: a]\n'
    (tmp_path / "examples" / "topic" / "main.tf").write_text(text)
    app = build(":::{file} topic/main.tf\n`main.tf`: settings.\n:::")
    frame = frame_of(app)
    shown, caption = (frame.select_one(s) for s in (".highlight-terraform pre", ".example-caption"))
    assert shown is not None and shown.get_text() == text
    assert caption is not None and caption.get_text() == "main.tf: settings."
    assert Path(app.outdir, "_downloads", "topic", "main.tf").read_text() == text
    assert app.warning.getvalue() == ""


def test_a_changed_record_builds_the_page_again(build: Build) -> None:
    app = build(":::{example} topic/do_it\nCaption.\n:::")
    known = {Path(name).name for name in app.env.dependencies["index"]}
    assert known >= {
        "do_it.py",
        "do_it.out",
        "do_it.policy.json",
        "do_it.run.json",
        "scenarios.toml",
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (":::{example} topic/none\nx\n:::", "none.py is missing: run make record"),
        (":::{example} topic/do_it\n:highlight: end\nx\n:::", "there is no marker end"),
        (":::{shell} topic/none\nx\n:::", "none.sh is missing"),
        (":::{file} topic/none.tf\nx\n:::", "none.tf is missing"),
    ],
)
def test_what_is_missing_is_named(build: Build, text: str, error: str) -> None:
    assert error in build(text).warning.getvalue()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("# [start: a]\n", "marker a has no end"),
        ("# [end: a]\n", "marker a ends before it starts"),
        ("# [start: a]\n# [start: a]\n", "marker a starts twice"),
        ("# [start: a]\n# [end: a]\n# [start: a]\n", "marker a starts twice"),
    ],
)
def test_markers_are_balanced_and_unique(source: str, error: str) -> None:
    with pytest.raises(example.BadMarkers, match=error):
        example.without_markers(source)
