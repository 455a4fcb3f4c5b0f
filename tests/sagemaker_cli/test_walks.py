"""The walks of the page, typed line by line into a terminal by a reader of each language."""

import json
from pathlib import Path

import pytest
from awslab.scenarios import EXAMPLES
from languages import LANGUAGES
from proofs.shell import SETTINGS, in_order, records, repository, run_shell, shell_scripts

WALKS = [path for path in shell_scripts() if path.parent == EXAMPLES / "sagemaker_cli"]
# Asked after the last line, in the same terminal: whatever could cost something.
REST = """\
./script.sh status --output json
aws s3 ls
aws iam list-roles --query 'Roles[].RoleName' --output text
"""


def test_the_walks_of_the_source_are_there() -> None:
    assert [path.stem for path in WALKS] == ["deploy", "quick_start", "train"]


def test_objects_deleted_at_once_are_shown_in_the_order_of_their_names() -> None:
    shown = "$ rb\ndelete: s3://b/2\ndelete: s3://b/1\nremove_bucket: b\ndelete: s3://a/0\n"
    settled = "$ rb\ndelete: s3://b/1\ndelete: s3://b/2\nremove_bucket: b\ndelete: s3://a/0\n"
    assert in_order(shown) == settled


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("walk", WALKS, ids=lambda path: path.stem)
def test_a_walk_prints_what_is_shown_and_leaves_nothing_billed(walk: Path, language: str) -> None:
    text, shown = (path.read_text(encoding="utf-8") for path in (walk, records(walk)[language]))
    with repository() as folder:
        printed = run_shell(text + REST, folder, LANGUAGE=language, **SETTINGS)
    walked, _, rest = printed.partition("$ ./script.sh status --output json\n")
    assert walked == shown
    assert "Traceback" not in walked and "[exit" not in walked
    status, _, others = rest.partition("$ aws s3 ls\n")
    assert {each["Count"] for each in json.loads(status)["Resources"]} == {0}, status
    assert others.splitlines()[1:] in ([], [""]), others  # neither a bucket nor a role
