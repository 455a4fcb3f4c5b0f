"""What all commands have in common: settings, messages, exit codes, languages."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from awslab.embedded import environment
from awslab.run import Result
from botocore.exceptions import ClientError, EndpointConnectionError
from smcli import __main__ as launcher
from smcli import main as program
from smcli.calls import AWS
from smcli.main import GROUPS, MODULE_OF, cli

Smcli = Callable[..., Result]
FOLDER = Path(program.__file__).parents[1]


def commands() -> dict[str, Any]:
    return {name: cli.get_command(click.Context(cli), name) for name in MODULE_OF}


def test_the_help_lists_every_command_by_group(smcli: Smcli) -> None:
    shown = smcli("--help")
    assert (shown.status, shown.errors) == (0, "")
    listed = re.findall(r"^  ([a-z]+(?:-[a-z]+)*)  ", shown.output, re.MULTILINE)
    assert listed == list(MODULE_OF)
    for title, _names in GROUPS.values():
        assert f"\n{title}:\n" in shown.output


def test_every_command_has_help_for_itself_and_its_parameters() -> None:
    for name, command in commands().items():
        assert command.help and command.help[0].isupper() and command.help.endswith("."), name
        for param in command.params:
            assert param.help and param.help.endswith("."), f"{name} {param.name}"


def test_every_command_that_changes_something_has_a_dry_run_and_every_deletion_asks() -> None:
    reading = re.compile(r":(?:List|Describe|Get|Filter|Head|InvokeEndpoint)")
    for name, command in commands().items():
        options = {option for param in command.params for option in param.opts}
        changes = [call for call in command.calls if not reading.search(call)]
        assert ("--dry-run" in options) >= bool(changes), name
        assert ("--yes" in options) >= name.endswith("-delete"), name


def test_every_command_is_tested_by_name() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
    )
    for name in MODULE_OF:
        assert re.search(rf"def test_{name.replace('-', '_')}(_|\()", tests), name


def test_settings_stand_before_or_after_the_command(smcli: Smcli) -> None:
    before = smcli("--output", "json", "--region", "us-east-1", "model-list")
    after = smcli("model-list", "--region", "us-east-1", "--output", "json")
    assert before == after
    assert json.loads(before.output) == {"Models": []}
    nearest = smcli("--output", "json", "model-list", "--output", "text")
    assert nearest.output == ""


def test_unknown_words_are_usage_errors_with_a_suggestion(smcli: Smcli) -> None:
    for words, said in [
        (
            ["model-lst"],
            "No such command 'model-lst'. (Did you mean one of: 'model-delete', 'model-list'",
        ),
        (["model-list", "--outptu", "json"], "No such option '--outptu'."),
        (["model-list", "more"], "Got unexpected extra argument (more)"),
        (["model-describe"], "Missing argument 'NAME'."),
        (["model-list", "--output", "yaml"], "'yaml' is not one of 'table', 'json', 'text'"),
        (["model-list", "--query", "Models["], "not a JMESPath expression"),
        (["cleanup", "x", "--poll", "nan"], "nan is not a number of seconds up to 2592000"),
        (["training-logs", "x", "--poll", "inf"], "inf is not a number of seconds up to"),
        (["cleanup", "x", "--timeout", "-1"], "-1.0 is not in the range x>=0"),
        (["model-list", "--query", "[a.nope(@)]"], "there is no function nope"),
        (["--endpoint-url", "lab", "model-list"], "'lab' is not an address such as http://"),
        (["model-list", "--endpoint-url", "http://["], "'http://[' is not an address"),
    ]:
        refused = smcli(*words)
        assert (refused.status, refused.output) == (252, ""), words
        assert said in refused.errors
        assert "Usage: smcli" in refused.errors


def test_without_a_command_the_help_comes_once_on_standard_error(smcli: Smcli) -> None:
    shown = smcli()
    assert (shown.status, shown.output) == (252, "")
    assert shown.errors == smcli("--help").output


def test_what_is_not_set_is_said_with_its_exit_code(smcli: Smcli, tmp_path: Path) -> None:
    no_region = smcli("model-list", AWS_DEFAULT_REGION="")
    assert no_region.status == 253
    assert no_region.errors == "error: No Region: give --region, or set AWS_DEFAULT_REGION.\n"
    assert smcli("model-list", AWS_DEFAULT_REGION="", AWS_REGION="us-east-1").status == 0
    no_profile = smcli("model-list", "--profile", "nobody")
    assert no_profile.status == 253
    assert no_profile.errors == "error: The config profile (nobody) could not be found\n"
    for region in ("nowhere", "ap-northeast-1!", "Tokyo", ""):
        refused = smcli("model-list", "--region", region)
        assert refused.status == 252
        assert f"{region!r} is not the name of a Region, such as ap-northeast-1" in refused.errors


def start(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """The launcher in a process of its own."""
    return subprocess.run(
        [str(FOLDER / "script.sh"), *arguments],
        env=environment(PYTHON=sys.executable, LANGUAGE="en", **extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_credentials_and_no_answer_are_told_apart(lab_server: str) -> None:
    missing = start("model-list", AWS_ACCESS_KEY_ID="", AWS_ENDPOINT_URL=lab_server)
    assert missing.returncode == 253
    assert "credentials" in missing.stderr
    unreachable = start("model-list", "--endpoint-url", "http://127.0.0.1:9")
    assert unreachable.returncode == 255
    assert unreachable.stderr.startswith("error: Could not connect to the endpoint URL")
    assert "Traceback" not in missing.stderr + unreachable.stderr


def test_the_launcher_runs_from_any_folder(lab_server: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(FOLDER / "script.sh"), "model-list"],
        cwd=tmp_path,
        env=environment(PYTHON=sys.executable, AWS_ENDPOINT_URL=lab_server, LANGUAGE="en"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "0 items\n")


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("AccessDeniedException", "no", "Next: ask an administrator to allow this action"),
        ("ExpiredTokenException", "old", "Next: sign in again"),
        ("UnrecognizedClientException", "who", "Next: check the access key and --profile"),
        ("ResourceInUse", "taken", "or see what already has this one with smcli model-describe."),
        ("ResourceLimitExceeded", "many", "Next: request a quota increase in Service Quotas"),
        ("ThrottlingException", "often", "Next: wait a moment and try again."),
        ("ValidationException", "Could not find model", "names with smcli model-list."),
        ("ValidationException", "s3://x is empty", "Next: see what is in S3 with aws s3 ls."),
        ("InternalFailure", "oh", ""),
    ],
)  # fmt: skip
def test_errors_of_aws_are_code_message_and_next_step(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch, code: str, message: str, hint: str
) -> None:
    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "DescribeModel")

    monkeypatch.setattr(AWS, "send", refuse)
    refused = smcli("model-describe", "m")
    assert (refused.status, refused.output) == (254, "")
    first, *rest = refused.errors.splitlines()
    assert first == f"error: {code}: {message}"
    assert len(rest) == bool(hint)
    assert hint in "".join(rest)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), 255, "Could not connect"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (PermissionError(13, "Permission denied", "f"), 255, "Permission denied: 'f'"),
    ],
)
def test_other_failures_are_one_line(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(AWS, "send", fail)
    failed = smcli("model-describe", "m")
    assert (failed.status, failed.output) == (status, "")
    assert said in failed.errors
    assert failed.errors.strip().count("\n") == 0


def test_a_lost_connection_does_not_hide_what_is_left(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        error = EndpointConnectionError(endpoint_url="http://x")
        error.add_note("Something is left.")
        raise error

    monkeypatch.setattr(AWS, "send", fail)
    failed = smcli("model-describe", "m")
    assert failed.status == 255
    assert failed.errors.splitlines()[1:] == ["Something is left."]


def test_a_bug_is_not_hidden(smcli: Smcli, monkeypatch: pytest.MonkeyPatch) -> None:
    def err(*_: Any) -> None:
        raise KeyError("missing")

    monkeypatch.setattr(AWS, "send", err)
    with pytest.raises(KeyError):
        smcli("model-describe", "m")


def test_the_language_is_that_of_the_option_else_of_the_locale(smcli: Smcli) -> None:
    for arguments, settings, said in [
        (["--lang", "ja"], {"LANGUAGE": "en"}, "0 件"),
        (["--lang=ja"], {"LANGUAGE": ""}, "0 件"),
        (["--lang", "en"], {"LANGUAGE": "ja"}, "0 items"),
        ([], {"LANGUAGE": "", "LC_ALL": "ja_JP.UTF-8"}, "0 件"),
        ([], {"LANGUAGE": "", "LC_ALL": "C.UTF-8"}, "0 items"),
        ([], {"LANGUAGE": "", "LC_ALL": "", "LANG": "ja_JP"}, "0 件"),
        ([], {"LANGUAGE": "", "LC_ALL": "fr_FR.UTF-8"}, "0 items"),
    ]:
        assert smcli("model-list", *arguments, **settings).errors == f"{said}\n", arguments


def test_help_and_errors_are_japanese_too(smcli: Smcli) -> None:
    shown = smcli("--help", LANGUAGE="ja")
    for name, line in re.findall(r"^  ([a-z]+(?:-[a-z]+)*)  +(\S.*)$", shown.output, re.MULTILINE):
        assert re.search(r"[ぁ-ん]", line), f"{name}: {line}"
    refused = smcli("model-describe", LANGUAGE="ja")
    assert re.search(r"[ぁ-ん]", refused.errors.splitlines()[-1])


def test_nothing_is_colored_in_a_pipe_or_with_no_color(smcli: Smcli) -> None:
    assert "\033" not in smcli("model-lst", NO_COLOR="").errors
    assert "\033" not in smcli("model-lst").errors


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell: str) -> None:
    script = start(_SMCLI_COMPLETE=f"{shell}_source")
    assert script.returncode == 0
    assert "_SMCLI_COMPLETE" in script.stdout
    asked = {"COMP_WORDS": "smcli model-d", "COMP_CWORD": "1"}
    if shell == "fish":
        asked = {"COMP_WORDS": "smcli model-d", "COMP_CWORD": "model-d"}
    answer = start(_SMCLI_COMPLETE=f"{shell}_complete", **asked).stdout
    assert "model-describe" in answer and "model-delete" in answer
    assert "model-list" not in answer


def test_help_imports_neither_boto3_nor_anything_slow() -> None:
    code = (
        "import sys; sys.argv = ['smcli', '--help']\n"
        "from smcli.main import run; run(['--help'])\n"
        "print(sorted({'boto3', 'botocore', 'tabulate', 'jmespath', 'wcwidth'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=str(FOLDER)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_closed_pipe_ends_the_program_quietly() -> None:
    command = f"{FOLDER}/script.sh --help | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(PYTHON=sys.executable, LANGUAGE="en", PYTHONUNBUFFERED="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("Usage: smcli [OPTIONS] COMMAND [ARGS]...\n", "")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ("images xgboost | true", 0, ""),
        ("images nothing 2>&1 | true", 252, ""),
        ("images nothing 2>/dev/full", 252, ""),
        ("images xgboost >/dev/full", 255, "No space left on device"),
        ("images xgboost >&-", 0, "SDK"),
        ("images nothing 2>&-", 252, ""),
        ("endpoint-invoke shop - <&-", 252, "The payload is empty."),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code_and_show_no_traceback(
    arguments: str, status: int, said: str
) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{FOLDER}/script.sh {arguments}"],
        env=environment(PYTHON=sys.executable, LANGUAGE="en"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_the_program_is_imported_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting(ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "smcli.main", Interrupting("smcli.main"))
    with pytest.raises(SystemExit) as ended:
        launcher.start()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_ends_with_130_and_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [str(FOLDER / "script.sh"), "model-list", "--endpoint-url", address],
            env=environment(PYTHON=sys.executable, LANGUAGE="en"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            silent.settimeout(30)
            with silent.accept()[0]:
                process.send_signal(signal.SIGINT)
                out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (130, "", "\nInterrupted.\n")
