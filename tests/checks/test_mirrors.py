"""Each rule of the mirrored trees catches its offence, and a good tree passes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.mirrors import check

PAGE = """\
---
myst:
  html_meta:
    description: 説明
---

(a-topic)=
# 題

:::{example} a_topic/do_it
説明
:::
"""
EXAMPLE = '''\
"""Do it."""

import boto3


def do_it(client: object) -> None:
    """Do it with `client`."""


def main() -> None:
    do_it(boto3.client("s3"))
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "docs/part/a-topic.md": PAGE,
        "examples/a_topic/do_it.py": EXAMPLE,
        "examples/a_topic/do_it.out": "",
        "examples/a_topic/do_it.policy.json": "",
        "examples/a_topic/do_it.run.json": "",
        "examples/a_topic/scenarios.toml": "[do_it]\nrun = []\n",
        "tests/a_topic/test_do_it.py": "",
        "examples/awslab/lab.py": "import moto\n",
        "docs/_extensions/notes.md": "# no label\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_tree_has_no_problem(root: Path) -> None:
    assert check(root) == []


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def add(name: str, text: str = "") -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / name).write_text(text, encoding="utf-8")

    return write


page, code = "docs/part/a-topic.md", "examples/a_topic/do_it.py"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(page, "a_topic/do_it", "a_topic/other"), f"{code}: on no page"),
        (remove("tests/a_topic/test_do_it.py"), f"{code}: no test tests/a_topic/test_do_it.py"),
        (remove("examples/a_topic/do_it.out"), f"{code}: no do_it.out: run make record"),
        (add("examples/a_topic/old.run.json"), "examples/a_topic/old.run.json: a record without"),
        (replace("examples/a_topic/scenarios.toml", "do_it", "did"), "did is a scenario without"),
        (replace("examples/a_topic/scenarios.toml", "do_it", "did"), "do_it has no scenario"),
        (lambda root: (root / page).rename(root / "docs/part/b.md"), "no page docs/*/a-topic.md"),
        (replace(page, "(a-topic)=\n", ""), f"{page}:7: no (label)= directly above"),
        (replace(page, "    description: 説明", ""), f"{page}:1: no description"),
        (replace(page, "# 題", "# 題\n\n```python\n1\n```"), f"{page}:10: a python fence"),
        (replace(page, "# 題", "# 題\n\n```{code-block} sh\nls\n```"), ":10: a sh fence"),
        (replace(page, "# 題", "# 題\n\n<div>x</div>"), f"{page}:10: raw HTML"),
        (replace(page, "# 題", "# 題\n\n[文][ref]"), f"{page}:10: a reference link"),
        (replace(code, "import boto3", "import moto"), f"{code}:3: imports moto"),
        (replace(code, "import boto3", "from awslab import x"), f"{code}:3: imports awslab"),
        (replace(code, "import boto3", "x = boto3.client('s3')"), f"{code}:3: a client at import"),
        (replace(code, '"""Do it."""', ""), f"{code}:1: no docstring that says"),
        (replace(code, '    """Do it with `client`."""', "    pass"), ":6: do_it has no docstring"),
        (replace(code, "def main", "class A: ...\ndef main"), f"{code}:10: a class"),
        (replace(code, "Do it.", "123456789012"), f"{code}:1: 123456789012 looks like a real"),
        (add("examples/a_topic/go.sh", "ls\n"), "examples/a_topic/go.sh: on no page"),
        (add("examples/a_topic/ask.sql"), "examples/a_topic/ask.sql: on no page"),
        (add("examples/a_topic/ask.sql"), "ask.sql: no test tests/a_topic/test_ask.py"),
        (add("examples/a_topic/ask.sql"), "ask.sql: no ask.run.json"),
        (add("examples/a_topic/ask.sql"), "ask has no scenario"),
        (add("examples/a_topic/do_it.sql"), "examples/a_topic/do_it: two examples of one name"),
        (replace(page, "# 題", "# 題\n\n```sql\nSELECT 1\n```"), f"{page}:10: a sql fence"),
    ],
)
def test_each_offence_is_reported(root: Path, change: Callable[[Path], None], problem: str) -> None:
    change(root)
    problems = check(root)
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize(
    "base",
    ["aws_cdk.Stack", "smdebug.rules.Rule", "torch.nn.Module", "xgboost.callback.TrainingCallback"],
)
def test_a_class_that_a_library_demands_is_allowed(root: Path, base: str) -> None:
    replace(code, "def main", f"class A({base}): ...\ndef main")(root)
    assert check(root) == []


@pytest.mark.parametrize("bases", ["object", "nn.Module", "Module", "xgboost.Booster"])
def test_a_class_of_another_base_is_reported(root: Path, bases: str) -> None:
    replace(code, "def main", f"class A({bases}): ...\ndef main")(root)
    assert any(": a class: " in problem for problem in check(root))
