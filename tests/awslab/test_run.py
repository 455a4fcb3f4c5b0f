"""Running examples: names for ids, scenarios, the command line, and the lab in this process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awslab.extension
import awslab.scenarios
import boto3
import botocore.session
import botocore.waiter
import pytest
from awslab.__main__ import main
from awslab.embedded import embedded_lab, environment
from awslab.extension import PATCHES, NoLongerMissing, Patch, adds, applied, changes, sets, table
from awslab.masking import Mask
from awslab.run import run_on_embedded_lab, run_script, run_step
from awslab.scenarios import EXAMPLES, NoSuchExample, parse_step, scenario, scripts
from botocore.exceptions import WaiterError

VPC = "vpc-0123456789abcdef0"
OTHER_VPC = "vpc-0fedcba9876543210"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

# --- names for what differs from run to run ------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"{VPC} {OTHER_VPC} {VPC}", "vpc-1 vpc-2 vpc-1"),
        ("vpc-1a2b3c4d", "vpc-1"),
        ("rtb-0123456789abcdef0,subnet-0123456789abcdef0", "rtb-1,subnet-1"),
        ("rtbassoc-0123456789abcdef0 vpce-0123456789abcdef0", "rtbassoc-1 vpce-1"),
        ("pl-0123456789abcdef0 -> vpce-0123456789abcdef0  active", "pl-1 -> vpce-1  active"),
        (
            f"arn:aws:ec2:us-west-2:111122223333:vpc/{VPC}",
            "arn:aws:ec2:us-west-2:111122223333:vpc/vpc-1",
        ),
        (f"id {UUID}.", "id uuid-1."),
        ("2026-11-20T19:57:05Z 2026-11-20 19:57:05+00:00", "time-1 time-2"),
        ("2026-11-20T19:57:05.123456", "time-1"),
        ("at 2026-11-20T19:57:05Z, 2026-11-20T19:57:05Z", "at time-1, time-1"),
        ("tune-001-1a2b3c4d/algo-1-1795935075", "tune-001-1a2b3c4d/algo-1-start-1"),
        ("algo-1-1795935075 1795935075", "algo-1-start-1 1795935075"),
        ("xgb-20261129070443/output xgb-20261129070443", "xgb-made-1/output xgb-made-1"),
        ("20261129070443 xgb-202611290704431", "20261129070443 xgb-202611290704431"),
        (
            f"c/shop/Shadow/2026/11/20/10/11-12-013-{UUID}.jsonl c/2026/11/20/10/x",
            "c/shop/Shadow/captured-1.jsonl c/day-1/10/x",
        ),
        (f"?authToken={'0a' * 32}, {'0a' * 32}", f"?authToken=token-1, {'0a' * 32}"),
        ("vpc-nope, 10.0.0.0/16, 2026-11-20", "vpc-nope, 10.0.0.0/16, 2026-11-20"),
        ("vpc-0123456789abcdef01", "vpc-0123456789abcdef01"),
        ("vpc-1a2b3c4d-more", "vpc-1a2b3c4d-more"),
        ("amzn-s3-demo-bucket-111122223333", "amzn-s3-demo-bucket-111122223333"),
    ],
)
def test_volatile_parts_get_names_by_first_appearance(text: str, hidden: str) -> None:
    assert Mask().hide(text) == hidden


def test_names_are_kept_from_one_text_to_the_next() -> None:
    mask = Mask()
    assert mask.hide(f"first {VPC}") == "first vpc-1"
    assert mask.hide(f"then {OTHER_VPC} and {VPC}") == "then vpc-2 and vpc-1"


def test_what_was_hidden_can_be_shown() -> None:
    mask = Mask()
    text = f"{VPC} vpce-0123456789abcdef0 {UUID} 2026-11-20T19:57:05Z {OTHER_VPC}"
    assert mask.show(mask.hide(text)) == text
    assert mask.show("--vpc-id vpc-2 --vpc-id vpc-1") == f"--vpc-id {OTHER_VPC} --vpc-id {VPC}"


def test_vpc_1_is_not_the_beginning_of_vpc_10() -> None:
    mask = Mask()
    ids = [f"vpc-{number:017x}" for number in range(1, 12)]
    assert mask.hide(" ".join(ids)) == " ".join(f"vpc-{number}" for number in range(1, 12))
    assert mask.show("vpc-1 vpc-10 vpc-11 vpc-100") == f"{ids[0]} {ids[9]} {ids[10]} vpc-100"


def test_a_name_that_nothing_has_stays() -> None:
    assert Mask().show("rtb-1 and bucket-1") == "rtb-1 and bucket-1"


def test_the_working_directory_is_hidden() -> None:
    assert Mask().hide(f"{Path.cwd()}/examples/a.py") == "./examples/a.py"


# --- scenarios -----------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of examples: one with a scenario, one without, and a package that has none."""
    monkeypatch.setattr(awslab.scenarios, "EXAMPLES", tmp_path)
    for name in ("topic/told", "topic/untold", "lonely/script", "awslab/run"):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("import sys\nprint(*sys.argv[1:])\n", encoding="utf-8")
    (tmp_path / "topic" / "scenarios.toml").write_text(
        "[told]\n"
        'before = ["python untold.py vpc-0123456789abcdef0"]\n'
        "run = [\"AWS_SDK_UA_APP_ID=vpce-1 A=b=c python told.py --name 'two words'\"]\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.parametrize(
    "spelling", ["topic/told", "topic/told.py", "examples/topic/told", "examples/topic/told.py"]
)
def test_every_spelling_of_a_name_is_accepted(shelf: Path, spelling: str) -> None:
    story = scenario(spelling)
    assert (story.name, story.path) == ("topic/told", shelf / "topic" / "told.py")


def test_a_scenario_holds_its_steps(shelf: Path) -> None:
    story = scenario("topic/told")
    assert [step.line for step in story.before] == ["python untold.py vpc-0123456789abcdef0"]
    (step,) = story.run
    assert step.script == shelf / "topic" / "told.py"
    assert step.arguments == ("--name", "two words")
    assert step.environment == (("AWS_SDK_UA_APP_ID", "vpce-1"), ("A", "b=c"))
    assert story.after == ()


def test_examples_are_listed_without_the_lab_itself(shelf: Path) -> None:
    assert scripts() == ["lonely/script", "topic/told", "topic/untold"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("topic/tolt", "There is no example topic/tolt. Examples: topic/told, topic/untold"),
        ("zzz", "There is no example zzz. Examples: lonely/script, topic/told, topic/untold"),
        ("awslab/run", "There is no example awslab/run. Examples: "),
        ("topic/untold", "topic/untold has no table in examples/topic/scenarios.toml"),
        ("lonely/script", "lonely/script has no table in examples/lonely/scenarios.toml"),
        ("../topic/told", "There is no example ../topic/told. Examples: topic/told"),
        ("", "Name one: make run EXAMPLE=slug/name. Examples: "),
    ],
)
def test_an_unknown_example_is_refused(shelf: Path, name: str, message: str) -> None:
    with pytest.raises(NoSuchExample) as refused:
        scenario(name)
    assert str(refused.value).startswith(message)


def test_a_step_starts_with_python() -> None:
    with pytest.raises(
        ValueError, match=r"^topic/scenarios\.toml: a step starts with python or smcli: ls"
    ):
        parse_step("topic", "ls -l")


def test_every_example_of_the_site_has_a_scenario() -> None:
    stories = [scenario(name) for name in scripts()]
    missing = [
        step.line
        for story in stories
        for step in (*story.before, *story.run, *story.after)
        if not step.script.is_file()
    ]
    assert stories
    assert missing == []


# --- one script ----------------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script.py"


@pytest.mark.parametrize(
    ("ending", "status", "errors"),
    [
        ("", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(0)", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('went wrong')", 1, "went wrong\n"),
        ("print('aside', file=sys.stderr)", 0, "aside\n"),
    ],
)
def test_the_result_of_a_script(script: Path, ending: str, status: int, errors: str) -> None:
    script.write_text(f"import sys\nprint(sys.argv[1:])\n{ending}\n", encoding="utf-8")
    result = run_script(script, ["--name", "x y"])
    assert (result.status, result.errors) == (status, errors)
    assert result.output == "['--name', 'x y']\n"


def test_an_exception_of_a_script_is_raised(script: Path) -> None:
    script.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        run_script(script, [])


def test_a_script_leaves_no_trace(script: Path) -> None:
    script.write_text(
        "import os, sys, boto3\n"
        "print(os.environ['AWS_SDK_UA_APP_ID'], __name__)\n"
        "boto3.setup_default_session(region_name='us-west-2')\n"
        "os.environ['LEFT'] = 'behind'\n"
        "sys.argv.append('more')\n",
        encoding="utf-8",
    )
    before = dict(os.environ), list(sys.argv), boto3.DEFAULT_SESSION
    assert run_script(script, [], AWS_SDK_UA_APP_ID="vpce-1").output == "vpce-1 __main__\n"
    assert (dict(os.environ), list(sys.argv), boto3.DEFAULT_SESSION) == before


def test_a_step_gets_ids_for_names_and_tells_new_ones(shelf: Path) -> None:
    mask = Mask()
    story = scenario("topic/told")
    assert run_step(story.before[0], mask).output == f"{VPC}\n"
    assert mask.name_of == {VPC: "vpc-1"}
    named = parse_step("topic", "NAME=vpc-1 python told.py --vpc-id vpc-1 --other vpc-2")
    (shelf / "topic" / "told.py").write_text(
        "import os, sys\nprint(os.environ['NAME'], *sys.argv[1:])\n", encoding="utf-8"
    )
    assert run_step(named, mask).output == f"{VPC} --vpc-id {VPC} --other vpc-2\n"


# --- the command line ----------------------------------------------------------------------------


def test_the_command_runs_an_example_with_what_prepares_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "awslab", "run", "s3_gateway_endpoint/create_endpoint"],
        cwd=EXAMPLES,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Mask().hide(done.stdout) == (
        "$ python create_sandbox.py --bucket amzn-s3-demo-bucket-111122223333\n"
        "vpc-1  10.0.0.0/16\n"
        "rtb-1  subnet-1  10.0.1.0/24\n"
        "rtb-2  subnet-2  10.0.2.0/24\n"
        "amzn-s3-demo-bucket-111122223333\n"
        "$ python create_endpoint.py --vpc-id vpc-1 --route-table-id rtb-1\n"
        "vpce-1\n"
        "rtb-1  pl-1 -> vpce-1  active\n"
    )


def test_the_command_runs_an_example_alone_when_arguments_are_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "awslab run s3_gateway_endpoint/create_endpoint --vpc-id vpc-nope --route-table-id"
    monkeypatch.setattr(sys, "argv", [*command.split(), "rtb-1"])
    status, printed = main(), capsys.readouterr()
    assert (status, printed.out) == (1, "")
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("An error occurred (InvalidVpcID.NotFound) when calling the ")


def test_the_status_of_the_last_step_is_the_status_of_the_run(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_on_embedded_lab("topic/told", []) == 0
    assert capsys.readouterr().out == (
        f"$ python untold.py {VPC}\n{VPC}\n"
        "$ AWS_SDK_UA_APP_ID=vpce-1 A=b=c python told.py --name 'two words'\n--name two words\n"
    )
    (shelf / "topic" / "told.py").write_text("raise SystemExit('no')\n", encoding="utf-8")
    assert run_on_embedded_lab("topic/told", []) == 1
    assert run_on_embedded_lab("topic/told", ["--alone"]) == 1
    assert capsys.readouterr().err == "no\nno\n"


def test_an_unknown_name_is_answered_in_one_line_without_loading_moto() -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['awslab', 'run', 'no/such']\n"
        "try:\n"
        "    runpy.run_module('awslab', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    print(stop.code, sorted({'moto', 'boto3', 'botocore'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=EXAMPLES,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 []\n"
    assert done.stderr.startswith("There is no example no/such. Examples: ")
    assert done.stderr.count("\n") == 1


# --- the lab in this process ---------------------------------------------------------------------


def state_of_process() -> dict[object, Any]:
    """Everything that the lab changes in this process while it is open."""
    attributes: dict[object, Any] = {
        (repr(patch.owner), patch.attribute): vars(patch.owner).get(patch.attribute)
        for patch in PATCHES
    }
    return attributes | {
        "environment": dict(os.environ),
        "session": boto3.DEFAULT_SESSION,
        "loader": botocore.session.create_loader,
        "sleep": time.sleep,
        "zone": time.tzname,
    }


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user in Tokyo, with settings, and with a session in use."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the user's own")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the user's own")
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "the-users-app")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", object())
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_lab_takes_everything_back(tokyo: None) -> None:
    before = state_of_process()
    with embedded_lab():
        inside = state_of_process()
        assert [key for key in before if before[key] is inside[key]] == []
        boto3.client("ec2")
    assert state_of_process() == before


def test_the_lab_takes_everything_back_after_an_exception(tokyo: None) -> None:
    before = state_of_process()
    with pytest.raises(KeyError), embedded_lab():
        os.environ.pop("no such setting")
    assert state_of_process() == before


def test_settings_of_the_user_do_not_reach_the_lab(tokyo: None) -> None:
    with embedded_lab():
        s3 = boto3.client("s3")
        assert s3.meta.region_name == "ap-northeast-1"
        assert s3.meta.endpoint_url == "https://s3.ap-northeast-1.amazonaws.com"
        assert s3.meta.config.user_agent_appid is None
        assert boto3.client("sts").get_caller_identity()["Account"] == "111122223333"
        credentials = boto3.Session().get_credentials()
        assert (credentials.access_key == "the user's own", credentials.token) == (False, None)
        assert boto3.Session().available_profiles == []


def test_times_are_in_utc(tokyo: None) -> None:
    with embedded_lab():
        s3 = boto3.client("s3")
        where = {"LocationConstraint": "ap-northeast-1"}
        s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)
        made = s3.list_buckets()["Buckets"][0]["CreationDate"]
        assert (made.tzname(), time.timezone) == ("UTC", 0)
    assert time.timezone == -9 * 3600


def test_each_lab_is_empty() -> None:
    for _ in range(2):
        with embedded_lab():
            s3 = boto3.client("s3")
            assert s3.list_buckets()["Buckets"] == []
            where = {"LocationConstraint": "ap-northeast-1"}
            s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)
            assert len(s3.list_buckets()["Buckets"]) == 1


def test_waiters_do_not_sleep(lab: None) -> None:
    s3 = boto3.client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)
    began = time.monotonic()
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        s3.get_waiter("object_exists").wait(Bucket="a-bucket", Key="never")
    assert time.monotonic() - began < 5  # outside of the lab: 19 times 5 seconds


# --- the extension -------------------------------------------------------------------------------


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class of moto's, and no patches yet."""
    monkeypatch.setattr(awslab.extension, "PATCHES", [])
    parent = type("Parent", (), {"inherited": lambda self: "inherited"})
    return type("Service", (parent,), {"own": lambda self: "own", "LIMIT": 1, "EMPTY": None})


def test_patches_are_put_on_and_taken_away(service: type) -> None:
    @adds(service, "ec2", "Added", differs="")
    def added(self: Any) -> str:
        return "added"

    @changes(service, "ec2", "Own", reason="", differs="")
    def own(original: Any, self: Any) -> str:
        return f"changed {original(self)}"

    @changes(service, "ec2", "Inherited", reason="", differs="")
    def inherited(original: Any, self: Any) -> str:
        return f"changed {original(self)}"

    sets(service, "LIMIT", 2, service="ec2", operation="*", reason="")
    sets(service, "EMPTY", "full", service="ec2", operation="*", reason="")
    before = dict(vars(service))
    for _ in range(2):
        with applied():
            thing = service()
            assert (thing.added(), thing.own(), thing.inherited(), thing.LIMIT, thing.EMPTY) == (
                "added",
                "changed own",
                "changed inherited",
                2,
                "full",
            )
        assert dict(vars(service)) == before
    assert (service().inherited(), hasattr(service, "added")) == ("inherited", False)


def test_an_operation_that_moto_has_by_now_is_reported(service: type) -> None:
    sets(service, "LIMIT", 2, service="ec2", operation="*", reason="")
    added = Patch("ec2", "DescribeOwn", service, "own", lambda self: "ours", True, "", "")
    awslab.extension.PATCHES.append(added)
    before = dict(vars(service))
    with pytest.raises(NoLongerMissing, match=r"^moto now has ec2:DescribeOwn$"), applied():
        pytest.fail("the block must not run")
    assert dict(vars(service)) == before


def test_an_operation_that_a_parent_class_has_counts_as_moto_s(service: type) -> None:
    added = Patch("ec2", "Inherited", service, "inherited", lambda self: "ours", True, "", "")
    awslab.extension.PATCHES.append(added)
    with pytest.raises(NoLongerMissing, match=r"^moto now has ec2:Inherited$"), applied():
        pytest.fail("the block must not run")


def test_two_labs_may_be_open_at_once(service: type) -> None:
    @adds(service, "ec2", "Added", differs="")
    def added(self: Any) -> str:
        return "added"

    with applied():
        with applied():
            assert service().added() == "added"
        assert service().added() == "added"
    assert not hasattr(service, "added")


def test_the_table_has_one_row_per_patch(service: type) -> None:
    @adds(service, "ec2", "Added", differs="is slower")
    def added(self: Any) -> str:
        return "added"

    sets(service, "LIMIT", 2, service="all", operation="*", reason="allows one only")
    assert table().splitlines()[2:] == [
        "| ec2 | `Added` | not in moto | is slower |",
        "| all | `*` | allows one only | no difference known |",
    ]


def test_every_patch_of_the_lab_has_a_reason() -> None:
    assert PATCHES
    assert [patch.attribute for patch in PATCHES if not patch.reason] == []
