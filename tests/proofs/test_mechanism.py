"""The proofs can fail: each bad example is refused for its reason, and good ones pass."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import awslab.scenarios
import boto3
import pytest
from awslab.actions import action_of
from awslab.masking import Mask
from awslab.scenarios import Scenario, scenario
from botocore import handlers
from botocore.exceptions import ClientError

import proofs.__main__ as command
from proofs import figures
from proofs.faults import (
    all_faults,
    broken,
    expired,
    not_allowed,
    owner,
    some_faults,
    throttled,
    unnamed_leftovers,
)
from proofs.permissions import actions_in, derive, only_with, without
from proofs.record import (
    Record,
    Unproven,
    describe,
    known_before,
    play,
    prove_again,
    prove_faults,
    prove_permissions,
    record,
    transcript,
)
from proofs.resources import UnknownAction, dependents, resources_of, roles_in, table_rows
from proofs.trace import Call, Trace, refusal, watching

REGION = "ap-northeast-1"
ACCOUNT = f"{REGION}:111122223333"
FIRST, SECOND = "amzn-s3-demo-first", "amzn-s3-demo-second"

HEAD = f"""
import json, random, sys, traceback, uuid
import boto3
from botocore.exceptions import BotoCoreError, ClientError

FIRST, SECOND = "{FIRST}", "{SECOND}"
WHERE = {{"LocationConstraint": "{REGION}"}}
s3 = boto3.client("s3")


def create(bucket):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=WHERE)
"""

# What the bad examples below differ from.
CREATE = """
try:
    create(FIRST)
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
print(FIRST)
"""
CREATE_BOTH = """
made = []
try:
    for bucket in (FIRST, SECOND):
        create(bucket)
        made.append(bucket)
except (BotoCoreError, ClientError) as error:
    for bucket in reversed(made):
        try:
            s3.delete_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            continue
        made.remove(bucket)
    sys.exit(f"{error} Left: {made}")
"""
DELETE = """
try:
    s3.delete_bucket(Bucket=FIRST)
except (BotoCoreError, ClientError) as error:
    sys.exit(f"{FIRST} was not deleted: {error}")
"""
DELETE_BOTH = """
failures = []
for bucket in (FIRST, SECOND):
    try:
        s3.delete_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        failures.append(f"{bucket} was not deleted: {error}")
if failures:
    sys.exit(" ".join(failures))
"""
LOOK = """
try:
    print(len(s3.list_buckets()["Buckets"]))
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
"""


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scenario]:
    """`story(run, before=…, after=…)`: a scenario of programs that are given as text."""
    monkeypatch.setattr(awslab.scenarios, "EXAMPLES", tmp_path)

    def write(run: str, *more: str, before: str = "", after: str = "") -> Scenario:
        folder = tmp_path / "slug"
        folder.mkdir()
        lines: dict[str, list[str]] = {"before": [], "run": [], "after": []}
        for part, texts in (("before", [before]), ("run", [run, *more]), ("after", [after])):
            for number, text in enumerate(filter(None, texts)):
                name = "example" if (part, number) == ("run", 0) else f"{part}{number}"
                (folder / f"{name}.py").write_text(HEAD + text, encoding="utf-8")
                lines[part].append(f"python {name}.py")
        table = "".join(f"{part} = {json.dumps(steps)}\n" for part, steps in lines.items())
        (folder / "scenarios.toml").write_text(f"[example]\n{table}", encoding="utf-8")
        return scenario("slug/example")

    return write


def refused(prove: Callable[[], Any]) -> str:
    """The reason for which a proof fails."""
    with pytest.raises(Unproven) as caught:
        prove()
    return str(caught.value)


def policy_of(story: Scenario) -> dict[str, Any]:
    run = play(story)
    return derive(run.trace.calls, known_before(story, run), run.mask.hide)


# --- good examples ---


def test_a_good_example_is_recorded(story: Callable[..., Scenario]) -> None:
    made = record(story(CREATE, after=DELETE))
    assert made.policy and made.figures is None
    assert made.out == f"$ python example.py\n{FIRST}\n"
    assert json.loads(made.policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:CreateBucket"],
                "Resource": [f"arn:aws:s3:::{FIRST}"],
            }
        ],
    }
    assert json.loads(made.run) == {
        "calls": [
            {"service": "s3", "operation": "CreateBucket", "actions": ["s3:CreateBucket"]},
        ],
        "dependent_actions": {},
        "fault_runs": 4,
        "ran_on": "lab",
        "versions": {"boto3": version("boto3"), "moto": version("moto")},
        "recorded": date.today().isoformat(),
    }


@pytest.mark.parametrize(
    ("programs", "before", "after"),
    [
        ([CREATE_BOTH], "", DELETE_BOTH),
        ([DELETE_BOTH], CREATE_BOTH, ""),
        ([LOOK], CREATE, DELETE),
        ([LOOK, LOOK], "", ""),
        ([LOOK + "print(uuid.uuid4())"], "", ""),  # is masked
        ([LOOK + "sys.exit(1)"], "", ""),  # the finding of an audit
    ],
)
def test_good_examples_pass(
    story: Callable[..., Scenario], programs: list[str], before: str, after: str
) -> None:
    assert record(story(*programs, before=before, after=after)).out.startswith("$ python example")


def test_a_step_that_ends_with_an_error_is_shown_with_its_status(
    story: Callable[..., Scenario],
) -> None:
    made = record(story(LOOK + "sys.exit(1)", LOOK))
    assert made.out == "$ python example.py\n0\n[exit 1]\n\n$ python run1.py\n0\n"


# --- programs without AWS, SQL, figures ---

WRITE = """
with open("figures.json", "w") as file:
    json.dump({"statements": [{"columns": ["a", "b_ms"], "rows": [[ROWS, random.random()]]}]}, file)
try:
    s3.list_buckets()
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
"""


def add_to_table(story: Scenario, lines: str) -> Scenario:
    file = story.path.parent / "scenarios.toml"
    file.write_text(file.read_text(encoding="utf-8") + lines, encoding="utf-8")
    return scenario(story.name)


def test_a_program_that_calls_no_api_has_neither_policy_nor_faults(
    story: Callable[..., Scenario],
) -> None:
    made = record(story("import polib"))
    assert made.policy is None
    assert json.loads(made.run) == {
        "ran_on": "local",
        "versions": {"polib": version("polib")},
        "recorded": date.today().isoformat(),
    }
    assert {path.name for path in made.paths(Path("a.py"))} == {"a.out", "a.run.json"}


def test_sql_is_run_by_the_program_of_its_scenario_in_a_folder_of_its_own(
    story: Callable[..., Scenario],
) -> None:
    reader = (
        "import pathlib\n"
        "print(pathlib.Path(sys.argv[1]).read_text())\n"
        "pathlib.Path('left').touch()\n"
        "s3.list_buckets()"
    )
    folder = story(reader).path.parent
    (folder / "what.sql").write_text("SELECT 1", encoding="utf-8")
    add_to_table(scenario("slug/example"), '\n[what]\nrun = ["python example.py what.sql"]\n')
    made = record(scenario("slug/what"))
    assert made.out == "$ python example.py what.sql\nSELECT 1\n"
    assert (made.policy, made.figures) == (None, None)
    assert json.loads(made.run) == {
        "ran_on": "lab",
        "versions": {"boto3": version("boto3"), "moto": version("moto")},
        "recorded": date.today().isoformat(),
    }
    assert not (folder / "left").exists()
    assert not Path("left").exists()


def test_figures_are_stored_and_keep_their_times(story: Callable[..., Scenario]) -> None:
    made = add_to_table(story(WRITE.replace("ROWS", "3")), 'figures = "figures.json"\n')
    first = record(made).figures
    assert first and json.loads(first)["statements"][0]["rows"][0][0] == 3
    made.path.with_suffix(".figures.json").write_text(first, encoding="utf-8")
    assert record(made).figures == first
    made.path.write_text(made.path.read_text(encoding="utf-8").replace("[[3,", "[[4,"))
    assert record(made).figures != first


def test_figures_that_differ_from_run_to_run(story: Callable[..., Scenario]) -> None:
    bad = add_to_table(story(WRITE.replace("ROWS", "random.random()")), 'figures="figures.json"\n')
    assert "its figures differ from run to run: /statements/0/rows/0/0: 0." in refused(
        lambda: record(bad)
    )


def test_figures_that_are_not_written(story: Callable[..., Scenario]) -> None:
    bad = add_to_table(story(LOOK), 'figures = "figures.json"\n')
    assert refused(lambda: record(bad)) == "slug/example: it wrote no figures.json"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1, "b_seconds": 1.0}, {"a": 1, "b_seconds": 2.0}, None),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, None),
        ({"a": 1}, {"a": 1.0}, "/a: 1 and 1.0"),
        ({"a": [1, 2]}, {"a": [1]}, "/a: 2 and 1 entries"),
        ({"a": 1}, {"b": 1}, ": ['a'] and ['b']"),
        (
            {"columns": ["x_ms"], "rows": [[1], [2]]},
            {"columns": ["x_ms"], "rows": [[3], [4]]},
            None,
        ),
        (
            {"columns": ["x_ms"], "rows": [[1], [2]]},
            {"columns": ["x_ms"], "rows": [[1]]},
            "/rows: 2 and 1 entries",
        ),
    ],
)
def test_figures_are_compared_but_for_times(before: Any, after: Any, found: str | None) -> None:
    assert figures.difference(json.dumps(before), json.dumps(after)) == found


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ("loss 0.5", "loss 0.504", True),
        ("loss 0.5", "loss 0.52", False),
        ("1,000 leaves", "1,009 leaves", True),
        ("1,000 leaves", "1,011 leaves", False),
        ("3 rounds", "4 rounds", False),
        ("at -0.5", "at 0.5", False),
        ("depth  9.99", "depth 10.01", True),
        ("xgboost-3 0.5", "xgboost-4 0.5", False),
        ("1 2", "1", False),
    ],
)
def test_numbers_of_an_output_may_differ_by_the_tolerance(
    before: str, after: str, alike: bool
) -> None:
    assert figures.alike(before, after, 0.01) is alike
    assert not figures.alike(before, after, 0)
    assert figures.alike(before, before, 0)


def test_figures_may_differ_by_the_tolerance() -> None:
    def found(after: Any) -> str | None:
        return figures.difference('{"a": [100, 0.5, true, "x"]}', json.dumps({"a": after}), 0.01)

    assert found([101, 0.509, True, "x"]) is None
    assert found([102, 0.5, True, "x"]) == "/a/0: 100 and 102"
    assert found([100, 0.5, 1, "x"]) == "/a/2: True and 1"
    assert found([100, 0.5, True, "y"]) == "/a/3: 'x' and 'y'"


def test_what_is_stored_stays_within_the_tolerance(story: Callable[..., Scenario]) -> None:
    loose = add_to_table(
        story(LOOK + "print(1 + random.random() / 1000)\n" + WRITE.replace("ROWS", "1.5")),
        'figures = "figures.json"\ntolerance = 0.01\n',
    )
    first = record(loose)
    for path, text in first.paths(loose.path).items():
        path.write_text(text, encoding="utf-8")
    assert record(loose) == first
    assert json.loads(first.run)["tolerance"] == 0.01
    loose.path.write_text(loose.path.read_text(encoding="utf-8").replace("1.5", "1.6"))
    assert record(loose).figures != first.figures


@pytest.fixture
def measuring(story: Callable[..., Scenario]) -> Scenario:
    """The full run prints two lines of measurements, the quick one prints one."""
    code = """
for _ in range(3 - len(sys.argv)):
    print(f"try {random.random():.3f} s")
with open("figures.json", "w") as file:
    json.dump({"columns": ["a"], "rows": [[random.random()]]}, file)
"""
    return add_to_table(
        story(code),
        'figures = "figures.json"\nmeasured = true\n'
        '[example.quick]\nrun = ["python example.py quick"]\n',
    )


def store(story: Scenario, made: Record) -> None:
    for path, text in made.paths(story.path).items():
        path.write_text(text, encoding="utf-8")


def test_measurements_stay_until_they_are_deleted(measuring: Scenario) -> None:
    first = record(measuring)
    store(measuring, first)
    assert record(measuring) == first
    assert json.loads(first.run)["measured"] is True
    assert "tolerance" not in json.loads(first.run)
    measuring.path.with_suffix(".out").unlink()
    anew = record(measuring)
    assert anew.out != first.out
    assert anew.figures != first.figures  # of the same run as the output


def test_what_stands_around_measurements_is_compared(measuring: Scenario) -> None:
    first = record(measuring)
    store(measuring, first)
    code = measuring.path.read_text(encoding="utf-8")
    measuring.path.write_text(code.replace(' s")', ' ms")'), encoding="utf-8")
    assert record(measuring).out != first.out
    changing = code.replace("print(f", "print(['a', 'b'][random.random() > 0.5] * 9, f")
    measuring.path.write_text(changing, encoding="utf-8")
    assert "its output differs from run to run" in refused(
        lambda: [record(measuring) for _ in range(30)]
    )


def test_measurements_of_a_quick_run_are_a_part() -> None:
    full = "$ python a.py --all\ncanary   12.5 s\nlinear    3 s\n"
    assert figures.lines_missing("$ python a.py\nlinear 17.25 s\n", full) == []
    assert figures.lines_missing("linear never\n", full) == ["linear never"]
    table = {"columns": ["a", "c"], "rows": [[1, 2], [2, 3]]}
    assert figures.is_part({"x": {"columns": ["a"], "rows": []}}, {"x": table, "y": 1})
    assert not figures.is_part({"x": {"columns": ["b"], "rows": []}}, {"x": table})
    assert not figures.is_part({"z": 1}, {"x": table})
    assert not figures.is_part({"x": []}, {"x": table})


def test_quick_steps_stand_for_the_slow_ones_in_the_proofs_that_repeat(
    story: Callable[..., Scenario],
) -> None:
    counting = """
with open(COUNT, "a") as file:
    file.write(sys.argv[1] if len(sys.argv) > 1 else "slow ")
try:
    print(len(s3.list_buckets()["Buckets"]))
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
"""
    slow = story(counting)
    count = slow.path.with_name("count")
    slow.path.write_text(slow.path.read_text(encoding="utf-8").replace("COUNT", repr(str(count))))
    record(add_to_table(slow, "[example.quick]\nrun = [\"python example.py 'quick '\"]\n"))
    # Slow: recorded, repeated with its clean-up (twice: it opens a place). Quick: recorded, with
    # the policy, without its action, and four faults.
    assert Counter(count.read_text(encoding="utf-8").split()) == {"slow": 3, "quick": 7}


# --- bad examples: faults ---


def test_a_bucket_left_behind_after_a_fault(story: Callable[..., Scenario]) -> None:
    bad = story(CREATE.replace("create(FIRST)", "create(FIRST); create(SECOND)"), after=DELETE_BOTH)
    assert refused(lambda: record(bad)) == (
        "slug/example, call 2: throttled: does not name what it leaves: ['amzn-s3-demo-first']; "
        "its errors: 'An error occurred (SlowDown) when calling the CreateBucket operation: "
        "Please reduce your request rate.\\n'"
    )


def test_a_name_among_the_results_is_not_the_name_of_something_left(
    story: Callable[..., Scenario],
) -> None:
    told = CREATE.replace("create(FIRST)", "create(FIRST); print(FIRST); create(SECOND)")
    reason = refused(lambda: record(story(told, after=DELETE_BOTH)))
    assert "call 2: throttled: does not name what it leaves: ['amzn-s3-demo-first']" in reason


def test_a_clean_up_that_stops_at_the_first_failing_delete(story: Callable[..., Scenario]) -> None:
    stopping = CREATE_BOTH.replace(
        """        try:
            s3.delete_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            continue
        made.remove(bucket)
    sys.exit(f"{error} Left: {made}")""",
        """        try:
            s3.delete_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            sys.exit(f"{error} {bucket} was not deleted.")
    sys.exit(str(error))""",
    ).replace("(FIRST, SECOND)", '(FIRST, SECOND, "amzn-s3-demo-third")')
    more = DELETE_BOTH.replace("(FIRST, SECOND)", '(FIRST, SECOND, "amzn-s3-demo-third")')
    reason = refused(lambda: record(story(stopping, after=more)))
    assert reason.startswith(
        "slug/example, call 3 and later: expired: does not name what it leaves: "
        "['amzn-s3-demo-first']; "
    )


def test_a_removal_that_stops_at_the_first_failing_delete(story: Callable[..., Scenario]) -> None:
    stopping = """
try:
    for bucket in (FIRST, SECOND):
        s3.delete_bucket(Bucket=bucket)
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
"""
    assert refused(lambda: record(story(stopping, before=CREATE_BOTH))) == (
        "slug/example, call 2: throttled: stops half-way and does not name "
        "['amzn-s3-demo-second']; its errors: 'An error occurred (SlowDown) when calling the "
        "DeleteBucket operation: Please reduce your request rate.\\n'"
    )


def test_an_error_of_one_kind_swallowed(story: Callable[..., Scenario]) -> None:
    bad = LOOK.replace("as error:", "as error:\n  if 'SlowDown' not in str(error):")
    assert refused(lambda: record(story(bad))) == (
        "slug/example, call 1: throttled: ends with status 0"
    )


def test_an_error_swallowed_after_a_step_that_ends_with_a_status(
    story: Callable[..., Scenario],
) -> None:
    bad = LOOK.replace("as error:", "as error:\n  print(error)\n  if 'SlowDown' not in str(error):")
    reason = refused(lambda: record(story(LOOK + "sys.exit(1)", bad)))
    assert reason == "slug/example, call 2: throttled: ends with status 0"


def test_a_message_without_the_error_of_the_service(story: Callable[..., Scenario]) -> None:
    bad = LOOK.replace("sys.exit(str(error))", "sys.exit('It failed.')")
    assert refused(lambda: record(story(bad))) == (
        "slug/example, call 1: throttled: does not report the error; it prints 'It failed.\\n'"
    )


def test_a_traceback_that_is_printed(story: Callable[..., Scenario]) -> None:
    bad = LOOK.replace("sys.exit(str(error))", "traceback.print_exc(); sys.exit(1)")
    assert refused(lambda: record(story(bad))) == (
        "slug/example, call 1: throttled: prints a traceback"
    )


def test_an_exception_that_escapes_from_one_fault(story: Callable[..., Scenario]) -> None:
    bad = LOOK.replace("as error:", "as error:\n    if 'SlowDown' in str(error): raise")
    assert refused(lambda: record(story(bad))) == (
        "slug/example, call 1: throttled: slug/example: python example.py ends with a traceback: "
        "ClientError: An error occurred (SlowDown) when calling the ListBuckets operation: "
        "Please reduce your request rate."
    )


def test_an_exception_that_escapes_without_permission(story: Callable[..., Scenario]) -> None:
    reason = refused(lambda: record(story("print(s3.list_buckets()['Buckets'])")))
    assert reason.startswith(
        "slug/example: python example.py ends with a traceback: AccessDenied: An error occurred "
        "(AccessDenied) when calling the ListBuckets operation: "
    )


def test_an_exception_that_escapes_without_any_fault(story: Callable[..., Scenario]) -> None:
    assert refused(lambda: record(story("1 / 0"))) == (
        "slug/example: python example.py ends with a traceback: ZeroDivisionError: division by zero"
    )


# --- bad examples: clean-up ---


def test_an_after_step_that_does_not_remove_everything(story: Callable[..., Scenario]) -> None:
    reason = refused(lambda: record(story(CREATE_BOTH, after=DELETE)))
    assert reason.startswith("slug/example leaves behind: + s3/111122223333/aws/buckets/")
    assert f"/{SECOND}" in reason
    assert FIRST not in reason


def test_a_missing_after_step(story: Callable[..., Scenario]) -> None:
    bad = story(CREATE)
    reason = refused(lambda: prove_again(bad, play(bad)))
    assert f"leaves behind: + s3/111122223333/aws/buckets/{FIRST} = FakeBucket" in reason


def test_an_object_in_a_bucket_that_was_there_before(story: Callable[..., Scenario]) -> None:
    put = CREATE.replace("create(FIRST)", "s3.put_object(Bucket=FIRST, Key='a', Body=b'')")
    bad = story(put, before=CREATE)
    reason = refused(lambda: prove_again(bad, play(bad)))
    assert f"/buckets/{FIRST}/" in reason


@pytest.mark.parametrize("part", ["before", "after"])
def test_a_step_around_the_example_that_fails(story: Callable[..., Scenario], part: str) -> None:
    reason = refused(lambda: record(story(LOOK, **{part: DELETE})))
    assert reason == (
        f"slug/example: python {part}0.py failed: {FIRST} was not deleted: An error occurred "
        "(NoSuchBucket) when calling the DeleteBucket operation: "
        "The specified bucket does not exist\n"
    )


# --- bad examples: permissions ---


def test_a_swallowed_refusal(story: Callable[..., Scenario]) -> None:
    bad = LOOK.replace("sys.exit(str(error))", "print(error)")
    assert (
        refused(lambda: record(story(bad))) == "slug/example: it runs without s3:ListAllMyBuckets"
    )


def test_a_refusal_swallowed_after_a_step_that_ends_with_a_status(
    story: Callable[..., Scenario],
) -> None:
    swallowing = CREATE.replace("sys.exit(str(error))", "print(error)")
    reason = refused(lambda: record(story(LOOK + "sys.exit(1)", swallowing, after=DELETE)))
    assert reason == "slug/example: it runs without s3:CreateBucket"


def test_a_policy_with_one_action_too_many(story: Callable[..., Scenario]) -> None:
    good = story(CREATE, after=DELETE)
    policy = policy_of(good)
    policy["Statement"][0]["Action"].append("s3:DeleteBucket")
    reason = refused(lambda: prove_permissions(good, play(good), policy))
    assert reason == "slug/example: it runs without s3:DeleteBucket"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"arn:aws:s3:::{FIRST}", f"arn:aws:s3:::{FIRST}-2"),  # another bucket
        (f"arn:aws:s3:::{FIRST}", f"arn:aws:s3:::{FIRST}/*"),  # its objects
        ("s3:CreateBucket", "s3:ListBucket"),
    ],
)
def test_a_policy_that_is_too_narrow(story: Callable[..., Scenario], old: str, new: str) -> None:
    good = story(CREATE, after=DELETE)
    policy = json.loads(json.dumps(policy_of(good)).replace(old, new))
    reason = refused(lambda: prove_permissions(good, play(good), policy))
    assert reason.startswith(
        "slug/example: its policy is not sufficient: An error occurred (AccessDenied) when "
        "calling the CreateBucket operation: User: arn:aws:iam::111122223333:user/lab is not "
        f"authorized to perform: s3:CreateBucket on arn:aws:s3:::{FIRST}."
    )


def test_the_derived_policy_is_sufficient_and_minimal(story: Callable[..., Scenario]) -> None:
    good = story(CREATE, after=DELETE)
    run = play(good)
    prove_permissions(good, run, policy_of(good))
    assert (run.results[0].status, run.struck) == (0, [])


@pytest.mark.parametrize("hiding", ["BotoCoreError, ClientError", "Exception"])
def test_a_call_whose_action_aws_does_not_list(
    story: Callable[..., Scenario], monkeypatch: pytest.MonkeyPatch, hiding: str
) -> None:
    monkeypatch.setattr("proofs.trace.action_of", lambda service, name, **_: f"{service}:No{name}")
    bad = LOOK.replace("BotoCoreError, ClientError", hiding)
    assert refused(lambda: record(story(bad))) == (
        "slug/example: AWS's table has no action s3:NoListBuckets: see examples/awslab/actions.py"
    )


# --- bad examples: output ---


def test_output_that_differs_from_run_to_run(story: Callable[..., Scenario]) -> None:
    reason = refused(lambda: record(story(LOOK + "print(random.random())")))
    assert reason.startswith(
        "slug/example: its output differs from run to run: $ python example.py\n0\n0."
    )


def test_output_that_is_masked_does_not_differ(story: Callable[..., Scenario]) -> None:
    good = story(LOOK + "print(uuid.uuid4())")
    run = play(good)
    prove_again(good, run)
    assert transcript(good, run) == "$ python example.py\n0\nuuid-1\n"


def test_all_times_of_a_transcript_have_one_name(story: Callable[..., Scenario]) -> None:
    good = story('print("2026-11-20T19:57:05Z 2026-11-20 19:57:06+00:00")')
    assert transcript(good, play(good)) == "$ python example.py\ntime-1 time-1\n"


# --- the command ---


def test_the_command_writes_the_records(
    story: Callable[..., Scenario],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "EXAMPLES", tmp_path)
    made = story(LOOK)
    assert command.main(["slug/example"]) == 0
    assert {path.name for path in tmp_path.glob("slug/example.*")} == {
        "example.out",
        "example.policy.json",
        "example.py",
        "example.run.json",
    }
    assert made.path.with_suffix(".out").read_text(encoding="utf-8") == "$ python example.py\n0\n"
    assert "slug/example: proven\n" in capsys.readouterr().out
    assert command.main(["slug/example"]) == 0
    assert "wrote" not in capsys.readouterr().out


def test_the_command_fails_with_the_reason(
    story: Callable[..., Scenario], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story("1 / 0")
    assert command.main(["slug/example"]) == 1
    assert capsys.readouterr().err == (
        "slug/example: python example.py ends with a traceback: "
        "ZeroDivisionError: division by zero\n"
    )
    assert command.main(["slug/other"]) == 1
    assert capsys.readouterr().err == ("There is no example slug/other. Examples: slug/example\n")
    assert list(tmp_path.glob("slug/example.*")) == [tmp_path / "slug" / "example.py"]


def test_the_date_of_a_record_stays_while_nothing_else_changes(
    story: Callable[..., Scenario],
) -> None:
    told = story(LOOK)
    run = play(told)
    known = describe(told, run, 4, None) | {"recorded": "2026-01-02"}
    assert describe(told, run, 4, known) == known
    assert describe(told, run, 5, known) == known | {
        "fault_runs": 5,
        "recorded": date.today().isoformat(),
    }


# --- resources ---


@pytest.mark.parametrize(
    ("operation", "arguments", "arns"),
    [
        (
            "CreateVpcEndpoint",
            {"VpcId": "vpc-1", "RouteTableIds": ["rtb-1", "rtb-2"], "ServiceName": "s3"},
            ["vpc/vpc-1", "vpc-endpoint/*", "route-table/rtb-1", "route-table/rtb-2"],
        ),
        (
            "ModifyVpcEndpoint",
            {"VpcEndpointId": "vpce-1", "AddRouteTableIds": ["rtb-1"], "PolicyDocument": "{}"},
            ["vpc-endpoint/vpce-1", "route-table/rtb-1"],
        ),
        (
            "ModifyVpcEndpoint",
            {"VpcEndpointId": "vpce-1", "AddRouteTableIds": [], "RemoveRouteTableIds": ["rtb-2"]},
            ["vpc-endpoint/vpce-1", "route-table/rtb-2"],
        ),
        (
            "DeleteVpcEndpoints",
            {"VpcEndpointIds": ["vpce-1", "vpce-2"]},
            ["vpc-endpoint/vpce-1", "vpc-endpoint/vpce-2"],
        ),
        ("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, ["vpc/*"]),
        ("CreateSubnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}, ["vpc/vpc-1", "subnet/*"]),
        (
            "AssociateRouteTable",
            {"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
            ["route-table/rtb-1", "subnet/subnet-1"],
        ),
    ],
)
def test_arns_of_ec2_are_filled_from_the_arguments(
    operation: str, arguments: dict[str, Any], arns: list[str]
) -> None:
    needs = list(resources_of(f"ec2:{operation}", operation, arguments, REGION))
    assert sorted(needs) == sorted(
        (f"ec2:{operation}", f"arn:aws:ec2:{ACCOUNT}:{arn}") for arn in arns
    )


@pytest.mark.parametrize(
    ("action", "operation", "arguments"),
    [
        ("ec2:DescribeVpcs", "DescribeVpcs", {"VpcIds": ["vpc-1"]}),
        ("s3:ListAllMyBuckets", "ListBuckets", {}),
        ("sts:GetCallerIdentity", "GetCallerIdentity", {}),
    ],
)
def test_actions_without_resources_need_the_star(
    action: str, operation: str, arguments: dict[str, Any]
) -> None:
    assert list(resources_of(action, operation, arguments, REGION)) == [(action, "*")]


@pytest.mark.parametrize(
    ("action", "arguments", "arn"),
    [
        ("s3:CreateBucket", {"Bucket": "amzn-s3-demo-a"}, "amzn-s3-demo-a"),
        ("s3:ListBucket", {"Bucket": "amzn-s3-demo-a", "MaxKeys": 1}, "amzn-s3-demo-a"),
        ("s3:PutObject", {"Bucket": "amzn-s3-demo-a", "Key": "b/c"}, "amzn-s3-demo-a/b/c"),
        ("s3:PutBucketPolicy", {"Bucket": "amzn-s3-demo-a", "Policy": "{}"}, "amzn-s3-demo-a"),
    ],
)
def test_arns_of_s3_have_no_region_and_no_account(
    action: str, arguments: dict[str, Any], arn: str
) -> None:
    operation = action.partition(":")[2]
    needs = list(resources_of(action, operation, arguments, REGION))
    assert needs == [(action, f"arn:aws:s3:::{arn}")]


@pytest.mark.parametrize(
    ("operation", "arguments", "arn"),
    [
        ("PauseCluster", {"ClusterIdentifier": "sales"}, "cluster:sales"),
        (
            "CreateClusterSnapshot",
            {"ClusterIdentifier": "sales", "SnapshotIdentifier": "monday"},
            "snapshot:sales/monday",
        ),
        (
            "DeleteClusterSnapshot",
            {"SnapshotClusterIdentifier": "sales", "SnapshotIdentifier": "monday"},
            "snapshot:sales/monday",
        ),
    ],
)
def test_arns_of_redshift_are_filled_from_identifiers(
    operation: str, arguments: dict[str, Any], arn: str
) -> None:
    needs = list(resources_of(f"redshift:{operation}", operation, arguments, REGION))
    assert needs == [(f"redshift:{operation}", f"arn:aws:redshift:{ACCOUNT}:{arn}")]


def arns_of(action: str, operation: str, **arguments: Any) -> list[str]:
    return [arn for _, arn in resources_of(action, operation, arguments, REGION)]


def test_a_function_is_invoked_by_the_name_of_its_version_or_alias() -> None:
    arn = f"arn:aws:lambda:{ACCOUNT}:function:shop"
    action = action_of("lambda", "Invoke")
    assert action == "lambda:InvokeFunction"
    assert arns_of(action, "Invoke", FunctionName="shop") == [arn]
    assert arns_of(action, "Invoke", FunctionName="shop", Qualifier="live") == [f"{arn}:live"]
    assert action_of("lambda", "UpdateAlias") == "lambda:UpdateAlias"


def test_a_parameter_of_systems_manager_is_named_without_slash_and_version() -> None:
    arn = f"arn:aws:ssm:{ACCOUNT}:parameter/ml/current"
    for name in ("/ml/current", "/ml/current:3", arn):
        assert arns_of("ssm:GetParameter", "GetParameter", Name=name) == [arn]
    assert arns_of("ssm:PutParameter", "PutParameter", Name="top", Value="x") == [
        f"arn:aws:ssm:{ACCOUNT}:parameter/top"
    ]


def test_deleted_objects_are_named_with_and_without_versions() -> None:
    objects = [{"Key": "a"}, {"Key": "b/c", "VersionId": "null"}]
    found = arns_of("s3:DeleteObject", "DeleteObjects", Bucket="x", Delete={"Objects": objects})
    assert found == ["arn:aws:s3:::x/a", "arn:aws:s3:::x/b/c"]


KEY = f"arn:aws:kms:{ACCOUNT}:key"
TRAIL = f"arn:aws:cloudtrail:{ACCOUNT}:trail/audit"
TOPIC = f"arn:aws:sns:{ACCOUNT}:alerts"


@pytest.mark.parametrize(
    ("action", "arguments", "arns"),
    [
        (
            "kms:CreateAlias",
            {"AliasName": "alias/a", "TargetKeyId": "k"},
            [f"arn:aws:kms:{ACCOUNT}:alias/a", f"{KEY}/k"],
        ),
        (
            "kms:DeleteAlias",  # and the key behind it, whichever that is
            {"AliasName": "alias/a"},
            [f"arn:aws:kms:{ACCOUNT}:alias/a", f"{KEY}/*"],
        ),
        ("kms:DescribeKey", {"KeyId": "k"}, [f"{KEY}/k"]),
        ("kms:DescribeKey", {"KeyId": f"{KEY}/k"}, [f"{KEY}/k"]),
        ("kms:DescribeKey", {"KeyId": "alias/a"}, [f"{KEY}/*"]),
        ("cloudtrail:GetTrail", {"Name": "audit"}, [TRAIL]),
        ("cloudtrail:GetTrail", {"Name": TRAIL}, [TRAIL]),
        ("cloudtrail:GetEventSelectors", {"TrailName": "audit"}, [TRAIL]),
        ("sns:CreateTopic", {"Name": "alerts"}, [TOPIC]),
        ("sns:DeleteTopic", {"TopicArn": TOPIC}, [TOPIC]),
        ("iam:DeleteRole", {"RoleName": "r"}, ["arn:aws:iam::111122223333:role/r"]),
        (
            "logs:PutMetricFilter",
            {"logGroupName": "/a/b", "filterName": "f"},
            [f"arn:aws:logs:{ACCOUNT}:log-group:/a/b:*"],
        ),
    ],
)
def test_arns_are_filled_from_names_arns_and_aliases(
    action: str, arguments: dict[str, Any], arns: list[str]
) -> None:
    assert arns_of(action, action.partition(":")[2], **arguments) == arns


ROLE = "arn:aws:iam::111122223333:role/sagemaker"


def test_a_trail_is_handed_its_role_although_the_table_does_not_say_so() -> None:
    assert "iam:PassRole" not in dependents("cloudtrail:UpdateTrail")
    arguments = {"Name": "audit", "CloudWatchLogsRoleArn": ROLE}
    assert list(resources_of("cloudtrail:UpdateTrail", "UpdateTrail", arguments, REGION)) == [
        ("cloudtrail:UpdateTrail", TRAIL),
        ("iam:PassRole", ROLE),
    ]


def test_handing_over_a_role_needs_pass_role() -> None:
    arguments = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}}
    needs = list(resources_of("sagemaker:CreateModel", "CreateModel", arguments, REGION))
    assert needs == [
        ("sagemaker:CreateModel", f"arn:aws:sagemaker:{ACCOUNT}:model/m"),
        ("iam:PassRole", ROLE),
    ]


def test_without_a_role_nothing_is_passed() -> None:
    needs = list(resources_of("sagemaker:CreateModel", "CreateModel", {"ModelName": "m"}, REGION))
    assert needs == [("sagemaker:CreateModel", f"arn:aws:sagemaker:{ACCOUNT}:model/m")]


def test_a_role_that_the_action_does_not_pass_needs_nothing() -> None:
    assert "iam:PassRole" not in dependents("sagemaker:DescribeModel")
    arguments = {"ModelName": "m", "RoleArn": ROLE}
    needs = list(resources_of("sagemaker:DescribeModel", "DescribeModel", arguments, REGION))
    assert needs == [("sagemaker:DescribeModel", f"arn:aws:sagemaker:{ACCOUNT}:model/m")]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"Role": ROLE}, [ROLE]),
        ({"a": [{"b": {"RoleARN": ROLE}}, {"ExecutionRoleArn": ROLE}]}, [ROLE, ROLE]),
        ({"ServiceRole": ROLE, "JobFlowRole": "EMR_EC2_DefaultRole"}, [ROLE]),
        ({"RoleSessionName": ROLE, "ModelArn": ROLE}, []),
    ],
)
def test_roles_are_found_anywhere_in_the_arguments(
    arguments: dict[str, Any], found: list[str]
) -> None:
    assert list(roles_in(arguments)) == found


def test_each_tagged_kind_needs_create_tags() -> None:
    tagged = [{"ResourceType": kind} for kind in ("vpc-endpoint", "route-table")]
    arguments = {"VpcId": "vpc-1", "TagSpecifications": tagged}
    needs = list(resources_of("ec2:CreateVpcEndpoint", "CreateVpcEndpoint", arguments, REGION))
    assert needs[-2:] == [
        ("ec2:CreateTags", f"arn:aws:ec2:{ACCOUNT}:vpc-endpoint/*"),
        ("ec2:CreateTags", f"arn:aws:ec2:{ACCOUNT}:route-table/*"),
    ]
    assert [action for action, _ in needs[:-2]] == ["ec2:CreateVpcEndpoint"] * 2


@pytest.mark.parametrize("kind", ["Policy", "Role", "User"])
def test_what_iam_creates_with_tags_needs_a_second_action(kind: str) -> None:
    def needs(**tags: Any) -> list[tuple[str, str]]:
        arguments = {f"{kind}Name": "x", **tags}
        return list(resources_of(f"iam:Create{kind}", f"Create{kind}", arguments, REGION))

    ((created, arn),) = needs()
    assert (created, needs(Tags=[])) == (f"iam:Create{kind}", needs())
    assert needs(Tags=[{"Key": "a", "Value": "b"}]) == [(created, arn), (f"iam:Tag{kind}", arn)]
    assert table_rows(f"iam:Tag{kind}")


@pytest.mark.parametrize("action", ["s3:NoSuchAction", "s3:HeadBucket", "nosuchservice:Get"])
def test_an_action_that_aws_does_not_list_is_unknown(action: str) -> None:
    with pytest.raises(UnknownAction, match=f"^{action}$"):
        table_rows(action)


# --- policies ---


def call(*needs: tuple[str, str], service: str = "s3", operation: str = "Get") -> Call:
    return Call(service, operation, needs, REGION)


def test_a_policy_is_grouped_by_resources_and_sorted() -> None:
    bucket, other = "arn:aws:s3:::a", "arn:aws:s3:::b"
    calls = [
        call(("s3:PutObject", bucket), ("s3:PutObject", other)),
        call(("s3:ListBucket", bucket)),
        call(("s3:GetObject", other)),
        call(("s3:GetObject", bucket)),
        call(("s3:CreateBucket", bucket)),
        call(("s3:ListBucket", bucket)),
    ]
    assert derive(calls, "", str) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:CreateBucket", "s3:ListBucket"],
                "Resource": [bucket],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": [bucket, other],
            },
        ],
    }


def test_the_resources_of_an_action_are_sorted() -> None:
    calls = [call(("s3:GetObject", letter)) for letter in "hgfedcba"]
    (statement,) = derive(calls, "", str)["Statement"]
    assert statement["Resource"] == list("abcdefgh")


def test_only_ids_of_the_command_line_stay_in_a_policy() -> None:
    given, made = "vpc-0123456789abcdef0", "vpc-0fedcba9876543210"
    calls = [call(("ec2:CreateSubnet", f"vpc/{given}"), ("ec2:CreateSubnet", f"vpc/{made}"))]
    policy = derive(calls, f"python a.py --vpc-id {given}", Mask().hide)
    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": ["ec2:CreateSubnet"], "Resource": ["vpc/*", "vpc/vpc-1"]}
    ]


def test_without_takes_an_action_out_of_every_statement() -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a"]},
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b"]},
        ],
    }
    left = {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["a"]}
    assert without(policy, "s3:GetObject") == {"Version": "2012-10-17", "Statement": [left]}
    assert actions_in(policy) == ["s3:GetObject", "s3:PutObject", "s3:GetObject"]


def test_a_policy_must_allow_every_need_of_a_call() -> None:
    allowed = {"Effect": "Allow", "Action": ["ec2:A"], "Resource": ["x"]}
    refuse = only_with({"Version": "2012-10-17", "Statement": [allowed]})
    assert refuse(Trace(), call(("ec2:A", "x"))) is None
    answer = refuse(Trace(), call(("ec2:A", "x"), ("ec2:A", "y"), service="ec2"))
    assert answer is not None
    assert (answer[0].status_code, answer[1]["Error"]) == (
        403,
        {
            "Code": "UnauthorizedOperation",
            "Message": "User: arn:aws:iam::111122223333:user/lab is not authorized to perform: "
            "ec2:A on y.",
        },
    )


# --- masks ---

LOG = "AWSLogs/111122223333/CloudTrail/ap-northeast-1"
FILE = "111122223333_CloudTrail_ap-northeast-1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"{LOG}/2026/11/20/{FILE}_20261120T0010Z_Ab3dEf6hIj9lMn2p.json.gz",
            f"{LOG}/day-1/{FILE}_file-1.json.gz",
        ),
        (
            "a_20261120T0010Z_Ab3dEf6hIj9lMn2p a_20261120T0015Z_Ab3dEf6hIj9lMn2p",
            "a_file-1 a_file-2",
        ),
        (
            "x_audit_ap-northeast-1_20261120T001000Z.json.gz",
            "x_audit_ap-northeast-1_file-1.json.gz",
        ),
        ("/2026/11/20/ /2026/11/21/ /2026/11/20/", "/day-1/ /day-2/ /day-1/"),
        ("on 2026/11/20 and a/2026/11/20", "on 2026/11/20 and a/2026/11/20"),  # no folder
        ("/12026/11/20/ /2026/11/203/", "/12026/11/20/ /2026/11/203/"),
        (
            "20261120T0010 x20261120T0010Z 20261120T0010Z-1",
            "20261120T0010 x20261120T0010Z 20261120T0010Z-1",
        ),
    ],
)
def test_log_files_bear_stable_names(text: str, shown: str) -> None:
    mask = Mask()
    assert mask.hide(text) == shown
    assert mask.show(shown) == text


def test_the_log_files_of_a_bucket_are_one_resource_of_a_policy() -> None:
    files = [
        f"{LOG}/2026/11/{day}/{FILE}_202611{day}T0010Z_Ab3dEf6hIj9lMn2p.json.gz" for day in (20, 21)
    ]
    calls = [call(("s3:GetObject", f"arn:aws:s3:::b/{file}")) for file in files]
    (statement,) = derive(calls, "", Mask().hide)["Statement"]
    assert statement["Resource"] == [f"arn:aws:s3:::b/{LOG}/*/{FILE}_*.json.gz"]


# --- faults ---


def test_each_call_fails_in_four_ways() -> None:
    assert [str(fault) for fault in all_faults(2)] == [
        "call 1: throttled",
        "call 1: not_allowed",
        "call 1: broken",
        "call 2: throttled",
        "call 2: not_allowed",
        "call 2: broken",
        "call 1 and later: expired",
        "call 2 and later: expired",
    ]
    assert all_faults(0) == []


@pytest.mark.parametrize("calls", [4, 7, 8, 30])
def test_some_faults_are_four_of_every_kind_at_different_calls(calls: int) -> None:
    found = some_faults(calls, "slug/example")
    assert len(found) == len({fault.at for fault in found}) == 4
    assert {fault.at for fault in found} <= set(range(1, calls + 1))
    assert len({fault.kind for fault in found}) == 4
    assert all(fault.lasting == (fault.kind is expired) for fault in found)
    assert [fault.at for fault in some_faults(2, "slug/example")] == [1, 2]
    assert {str(some_faults(1, f"slug/{number}")[0]) for number in range(20)} == {
        "call 1: throttled",
        "call 1: not_allowed",
        "call 1: broken",
        "call 1 and later: expired",
    }
    assert some_faults(0, "slug/example") == []


def test_of_the_faults_some_or_all_are_tried(
    story: Callable[..., Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = story(CREATE_BOTH, after=DELETE_BOTH)
    run = play(good)
    tried: list[str] = []
    monkeypatch.setattr(
        "proofs.record.ends_badly", lambda story, fault, *more: tried.append(str(fault))
    )
    assert prove_faults(good, run, run.places) == len(tried) == 8
    tried.clear()
    assert prove_faults(good, run, run.places, thorough=False) == 8
    assert tried == [str(fault) for fault in some_faults(2, good.name)]


@pytest.mark.parametrize(
    ("number", "struck"), [(1, [False, True, False]), (5, [False, True, True])]
)
def test_a_fault_strikes_one_call_or_all_later_ones(number: int, struck: list[bool]) -> None:
    fault = all_faults(2)[3 if number == 1 else 7]
    trace, found = Trace(), []
    for _ in range(3):
        trace.calls.append(call(("s3:GetObject", "a")))
        found.append(fault.refuse(trace, trace.calls[-1]) is not None)
    assert found == struck


@pytest.mark.parametrize(
    ("kind", "service", "code"),
    [
        (throttled, "ec2", "RequestLimitExceeded"),
        (throttled, "s3", "SlowDown"),
        (throttled, "sagemaker", "ThrottlingException"),
        (not_allowed, "ec2", "UnauthorizedOperation"),
        (not_allowed, "s3", "AccessDenied"),
        (not_allowed, "sagemaker", "AccessDeniedException"),
        (broken, "s3", "InternalError"),
        (broken, "ec2", "InternalFailure"),
        (expired, "s3", "ExpiredToken"),
    ],
)
def test_a_fault_speaks_as_its_service(kind: Any, service: str, code: str) -> None:
    _, parsed = kind(call(("a:B", "*"), service=service))
    assert parsed["Error"]["Code"] == code


VPC, TABLE = "vpc-0123456789abcdef0", "rtb-0123456789abcdef0"
EC2 = "ec2/111122223333/ap-northeast-1"
BUCKETS = "s3/111122223333/aws/buckets"
SHOP = "sagemaker/111122223333/ap-northeast-1/endpoints/shop"
GROUPS = "logs/111122223333/ap-northeast-1/groups"
SHOP_LOG = "%2Faws%2Fsagemaker%2FEndpoints%2Fshop/name"
CONFIGS = "sagemaker/111122223333/ap-northeast-1/endpoint_configs"
CAPTURE_ID = "0d06ee54-f7e0-4f8b-a54d-a3ed7e1b65a4"
CAPTURED = f"capture%2Fshop%2FShadow%2F2026%2F11%2F20%2F10%2F11-12-013-{CAPTURE_ID}.jsonl"
JOBS, TRAINING_JOB = "sagemaker/111122223333/ap-northeast-1/jobs", "tune-001-1a2b3c4d"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{BUCKETS}/amzn-s3-demo-a/keys/b/0", "amzn-s3-demo-a"),
        (f"{EC2}/vpcs/{VPC}/cidr_block", VPC),
        (f"{EC2}/route_tables/{TABLE}/vpc_id", TABLE),
        ("s3control/111122223333/aws/public_access_block", None),
        (
            f"{BUCKETS}/amzn-s3-demo-a/keys/x%2F2026%2F11%2F20%2Fy_20261120T0010Z.gz",
            "amzn-s3-demo-a",
        ),
        (f"{BUCKETS}/amzn-s3-demo-a/keys/2026-11-20T10:11:12Z", "amzn-s3-demo-a"),
        ("logs/111122223333/ap-northeast-1/groups/%2Fa%2Fb/streams/s", "/a/b"),
    ],
)
def test_a_line_of_a_state_belongs_to_a_resource(path: str, name: str | None) -> None:
    assert owner(path) == (name or path)


@pytest.mark.parametrize(
    ("before", "after", "message", "left"),
    [
        ({}, {f"{BUCKETS}/a-bucket": "x"}, "", ["a-bucket"]),
        ({}, {f"{BUCKETS}/a-bucket": "x"}, "a-bucket is left", []),
        ({f"{BUCKETS}/a-bucket": "x"}, {f"{BUCKETS}/a-bucket": "y"}, "", ["a-bucket"]),
        ({f"{BUCKETS}/a-bucket": "x"}, {}, "", []),
        ({f"{BUCKETS}/a-bucket": "x"}, {f"{BUCKETS}/a-bucket": "x"}, "", []),
        ({}, {f"{EC2}/vpcs/{VPC}": "x", f"{BUCKETS}/b": "x"}, "nothing", ["b", VPC]),
        ({}, {f"{BUCKETS}/a-bucket/keys/AWSLogs%2F1%2Fx.gz": "x"}, "", []),  # AWS delivered it
        ({}, {f"{BUCKETS}/a-bucket/keys/logs%2FAWSLogs": "x"}, "", ["a-bucket"]),
        ({}, {f"{BUCKETS}/a-bucket/keys/{CAPTURED}": "x"}, "", []),  # the endpoint captured it
        ({}, {f"{BUCKETS}/a-bucket/keys/{CAPTURED[:-1]}": "x"}, "", [CAPTURE_ID]),
        (
            {SHOP: "x"},
            {SHOP: "x", f"{GROUPS}/{SHOP_LOG}": "x"},
            "",
            [],
        ),  # of an endpoint that is there
        ({}, {f"{GROUPS}/{SHOP_LOG}": "x"}, "", ["/aws/sagemaker/Endpoints/shop"]),
        ({SHOP: "x"}, {SHOP: "y"}, "", ["shop"]),
        ({}, {f"{CONFIGS}/test-promoted/name": "x"}, "test is ending", []),
        ({}, {f"{CONFIGS}/test-promoted/name": "x"}, "shop is ending", ["test-promoted"]),
        ({}, {f"{CONFIGS}/test-v2/name": "x"}, "test is ending", ["test-v2"]),
        ({}, {f"{JOBS}/{TRAINING_JOB}": "x"}, "tune may run", []),
        ({}, {f"{JOBS}/{TRAINING_JOB}": "x"}, "another may run", [TRAINING_JOB]),
        ({}, {f"{EC2}/route_tables/{TABLE}/vpc_id": VPC}, f"{VPC} is left", [TABLE]),
        (
            {},
            {
                f"{EC2}/route_tables/{TABLE}/main_association_id": "'rtbassoc-01234567'",
                f"{EC2}/route_tables/{TABLE}/vpc_id": repr(VPC),
            },
            f"{VPC} is left",  # and with it its main route table
            [],
        ),
        (
            {},
            {"s3control/111122223333/aws/block": "x"},
            "block",
            ["s3control/111122223333/aws/block"],
        ),
    ],
)
def test_what_a_message_does_not_name_is_left_unnamed(
    before: dict[str, str], after: dict[str, str], message: str, left: list[str]
) -> None:
    assert unnamed_leftovers(before, after, message) == left


def test_every_fault_of_a_good_example_is_survived(story: Callable[..., Scenario]) -> None:
    good = story(CREATE_BOTH, after=DELETE_BOTH)
    run = play(good)
    assert prove_faults(good, run, prove_again(good, run)) == 8


# --- watching ---


def test_calls_are_watched_in_order_with_what_they_need(lab: None) -> None:
    original = handlers.BUILTIN_HANDLERS
    with watching(Trace()) as trace:
        s3 = boto3.client("s3")
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=FIRST, CreateBucketConfiguration=where)
        assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == [FIRST]
    assert [(each.service, each.operation, each.needs) for each in trace.calls] == [
        ("s3", "CreateBucket", (("s3:CreateBucket", f"arn:aws:s3:::{FIRST}"),)),
        ("s3", "ListBuckets", (("s3:ListAllMyBuckets", "*"),)),
    ]
    assert (trace.refused, trace.unknown) == ([], [])
    assert handlers.BUILTIN_HANDLERS is original


def test_a_call_that_names_a_version_needs_the_action_of_versions(lab: None) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=FIRST, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=FIRST, Key="a", Body=b"")
    of_version = {"Bucket": FIRST, "Key": "a", "VersionId": "null"}
    with watching(Trace()) as trace:
        s3 = boto3.Session().client("s3")
        s3.get_object(**of_version)
        s3.get_object(Bucket=FIRST, Key="a")
        s3.delete_object(**of_version)
    assert [(each.operation, each.needs) for each in trace.calls] == [
        (operation, ((action, f"arn:aws:s3:::{FIRST}/a"),))
        for operation, action in (
            ("GetObject", "s3:GetObjectVersion"),
            ("GetObject", "s3:GetObject"),
            ("DeleteObject", "s3:DeleteObjectVersion"),
        )
    ]


@pytest.mark.parametrize(("version", "action"), [({"VersionId": "null"}, "Version"), ({}, "")])
def test_deleted_versions_need_the_action_of_versions(
    lab: None, version: dict[str, str], action: str
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=FIRST, CreateBucketConfiguration={"LocationConstraint": REGION})
    with watching(Trace()) as trace:
        s3 = boto3.Session().client("s3")
        s3.delete_objects(Bucket=FIRST, Delete={"Objects": [{"Key": "a", **version}]})
    (made,) = trace.calls
    assert made.needs == ((f"s3:DeleteObject{action}", f"arn:aws:s3:::{FIRST}/a"),)


def test_a_refused_call_does_not_reach_the_service(lab: None) -> None:
    def refuse(trace: Trace, call: Call) -> Any:
        return refusal("SlowDown", "Slowly.", 503) if call.operation == "CreateBucket" else None

    with watching(Trace(refuse)) as trace:
        s3 = boto3.client("s3")
        with pytest.raises(ClientError, match=r"\(SlowDown\) .*: Slowly\.$"):
            s3.create_bucket(Bucket=FIRST, CreateBucketConfiguration={"LocationConstraint": REGION})
        assert s3.list_buckets()["Buckets"] == []
    assert [each.operation for each in trace.calls] == ["CreateBucket", "ListBuckets"]
    assert [each.operation for each in trace.refused] == ["CreateBucket"]
