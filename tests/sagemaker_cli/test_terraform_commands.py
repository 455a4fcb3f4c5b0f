"""The commands that drive Terraform, on a stack that needs neither a provider nor AWS.

What they do with the real stack is in test_terraform.py.
"""

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import smcli.commands.terraform as commands
from sagemaker_cli.terraform_lab import COMMAND_LINE, FILES, Stack, needs_terraform, write_settings
from smcli.ending import Unreadable

NAME = "my-ml-project"
SMALL = """\
variable "stack_name" {
  type = string
}

variable "region" {
  type    = string
  default = "ap-northeast-1"
}

resource "terraform_data" "this" {
  input = var.stack_name
}

output "stack_name" {
  value = var.stack_name
}

output "region" {
  value = var.region
}

output "all" {
  value = ["a", "b"]
}

output "notebook_name" {
  value = null
}
"""
# Stands in for Terraform: tells what it was started with; interrupted, it ends in order.
PRETENDED = """\
#!/bin/sh
[ "$2" = output ] && echo "{}" && exit
echo "$@"
echo "$AWS_PROFILE,$AWS_ENDPOINT_URL,$AWS_REGION"
[ "$2" = apply ] || exit 3
trap 'kill $!; echo "state is kept"; exit 1' INT
echo applying
sleep 60 &
wait
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "main.tf").write_text(SMALL, encoding="utf-8")
    write_settings(folder)
    return Stack(folder)


@pytest.fixture
def ready(stack: Stack) -> Stack:
    """The same after tf-init."""
    assert stack.smcli("tf-init").returncode == 0
    return stack


@pytest.fixture
def pretended(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A program of the name terraform that tells what it was started with."""
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(PRETENDED, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return stack


def resources(stack: Stack) -> list[str]:
    return stack.terraform("state", "list").stdout.split()


# --- tf-init -------------------------------------------------------------------------------------


@needs_terraform
def test_tf_init_shows_terraforms_output_and_the_next_command(stack: Stack) -> None:
    begun = stack.smcli("tf-init")
    assert begun.returncode == 0
    assert "Terraform has been successfully initialized!" in begun.stdout
    assert begun.stderr == "next: smcli tf-plan STACK-NAME\n"


@needs_terraform
def test_tf_init_ends_as_terraform_does(stack: Stack) -> None:
    (stack.folder / "main.tf").write_text("resource {", encoding="utf-8")
    failed = stack.smcli("tf-init")
    assert failed.returncode == 1
    assert "Error: " in failed.stderr
    assert "next:" not in failed.stderr


def test_tf_init_says_where_terraform_comes_from(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    missing = stack.smcli("tf-init")
    assert (missing.returncode, missing.stdout) == (255, "")
    assert missing.stderr == (
        "error: Terraform is not installed. Get it from "
        "https://developer.hashicorp.com/terraform/install\n"
    )


# --- tf-plan -------------------------------------------------------------------------------------


@needs_terraform
def test_tf_plan_changes_nothing(ready: Stack) -> None:
    planned = ready.smcli("tf-plan", NAME)
    assert planned.returncode == 0, planned.stderr
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in planned.stdout
    assert f'+ stack_name    = "{NAME}"' in planned.stdout
    assert resources(ready) == []
    assert ready.smcli("tf-plan", NAME, "--", "-detailed-exitcode").returncode == 2


@pytest.mark.parametrize("name", ["My-Project", "a" * 44, "ab", "my-project-", "my_project", ""])
def test_tf_plan_refuses_a_bad_name_before_terraform_starts(pretended: Stack, name: str) -> None:
    refused = pretended.smcli("tf-plan", name)
    assert (refused.returncode, refused.stdout) == (252, "")
    assert f"{name!r}: a stack name has 3 to 43 lower-case letters" in refused.stderr


def test_tf_plan_takes_the_names_that_the_stack_takes() -> None:
    text = (FILES / "variables.tf").read_text(encoding="utf-8")
    (pattern,) = re.findall(r'regex\("\^(.*)\$", var\.stack_name\)', text)
    assert pattern == commands.STACK_NAME.pattern


@needs_terraform
@pytest.mark.parametrize("file", ["terraform.tfvars", "more.auto.tfvars"])
def test_tf_plan_warns_of_another_name_in_a_file_of_values(ready: Stack, file: str) -> None:
    (ready.folder / file).write_text('stack_name   = "another-project"\n', encoding="utf-8")
    (ready.folder / "unread.tfvars").write_text('stack_name = "unread"\n', encoding="utf-8")
    planned = ready.smcli("tf-plan", NAME)
    assert planned.stderr == f"{file} says stack_name = another-project; {NAME} is used.\n"
    assert f'"{NAME}"' in planned.stdout


@needs_terraform
def test_tf_plan_is_silent_about_the_same_name(ready: Stack) -> None:
    text = f'stack_name = "{NAME}"\n# stack_name = "another-project"\n'
    (ready.folder / "terraform.tfvars").write_text(text, encoding="utf-8")
    assert ready.smcli("tf-plan", NAME).stderr == ""


def test_tf_plan_hands_the_settings_to_terraform(pretended: Stack) -> None:
    planned = pretended.smcli(
        *("tf-plan", NAME, "--profile", "ana", "--region", "us-east-1"),
        *("--endpoint-url", "http://127.0.0.1:1", "--", "-var", "create_notebook=true"),
    )
    variables = f"-var stack_name={NAME} -var region=us-east-1 -var create_notebook=true"
    assert planned.returncode == 3
    assert planned.stdout.splitlines() == [
        f"-chdir={pretended.folder} plan -no-color {variables}",
        "ana,http://127.0.0.1:1,",
    ]


# --- tf-apply ------------------------------------------------------------------------------------


@needs_terraform
def test_tf_apply_makes_the_stack_and_then_has_nothing_to_do(ready: Stack) -> None:
    made = ready.smcli("tf-apply", NAME, "--yes")
    assert (made.returncode, made.stderr) == (0, "")
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in made.stdout
    assert resources(ready) == ["terraform_data.this"]
    again = ready.smcli("tf-apply", NAME, "--yes")
    assert "Resources: 0 added, 0 changed, 0 destroyed." in again.stdout


@needs_terraform
@pytest.mark.parametrize("command", ["tf-apply", "tf-destroy"])
def test_tf_apply_and_destroy_need_somebody_to_ask(ready: Stack, command: str) -> None:
    refused = ready.smcli(command, NAME)
    assert (refused.returncode, refused.stdout) == (252, "")
    assert "nobody can answer here: add --yes" in refused.stderr
    assert resources(ready) == []


@needs_terraform
@pytest.mark.parametrize(("answer", "made"), [("no", []), ("yes", ["terraform_data.this"])])
def test_tf_apply_asks_on_a_terminal(ready: Stack, answer: str, made: list[str]) -> None:
    here, there = pty.openpty()
    environment = {k: v for k, v in ready.environment.items() if k != "TF_INPUT"}
    with subprocess.Popen(
        ready.line("tf-apply", NAME), env=environment, stdin=there, stdout=subprocess.PIPE
    ) as process:
        os.write(here, f"{answer}\n".encode())
        told, _ = process.communicate(timeout=60)
    os.close(here)
    os.close(there)
    assert b"Only 'yes' will be accepted" in told
    assert process.returncode == (0 if made else 1)
    assert resources(ready) == made


@needs_terraform
def test_tf_apply_refuses_the_state_of_another_stack(ready: Stack) -> None:
    assert ready.smcli("tf-apply", NAME, "--yes").returncode == 0
    for arguments, member in (
        (("another-project",), f"stack_name = {NAME}"),
        ((NAME, "--region", "us-east-1"), "region = ap-northeast-1"),
    ):
        for command in ("tf-plan", "tf-apply", "tf-destroy"):
            asked = () if command == "tf-plan" else ("--yes",)
            refused = ready.smcli(command, *arguments, *asked)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert refused.stderr == (
                f"error: The state in {ready.folder} belongs to a stack with {member}, which "
                "would be replaced. For another stack, copy the .tf files and name the copy with "
                "--dir.\n"
            )
    assert json.loads(ready.terraform("output", "-json", "stack_name").stdout) == NAME


def test_tf_apply_lets_terraform_end_in_order_after_ctrl_c(pretended: Stack) -> None:
    """A terminal sends Ctrl-C to both; Terraform may not be killed before it has kept its state."""
    with subprocess.Popen(
        pretended.line("tf-apply", NAME, "--yes"),
        env=pretended.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        while process.stdout.readline() != "applying\n":
            assert process.poll() is None
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        told, errors = process.communicate(timeout=30)
    assert (process.returncode, told, errors) == (130, "state is kept\n", "")


# --- tf-destroy ----------------------------------------------------------------------------------


@needs_terraform
def test_tf_destroy_deletes_the_stack(ready: Stack) -> None:
    ready.smcli("tf-apply", NAME, "--yes")
    destroyed = ready.smcli("tf-destroy", NAME, "--yes")
    assert (destroyed.returncode, destroyed.stderr) == (0, "")
    assert "Destroy complete! Resources: 1 destroyed." in destroyed.stdout
    assert resources(ready) == []


def test_tf_destroy_that_fails_says_what_helps(pretended: Stack) -> None:
    failed = pretended.smcli("tf-destroy", NAME, "--yes")
    assert failed.returncode == 3
    assert failed.stderr == (
        "BucketNotEmpty? To delete all objects as well, first allow it, then destroy again:\n"
        f"  smcli tf-apply {NAME} -- -var force_destroy=true -target=aws_s3_bucket.this\n"
    )


# --- tf-output -----------------------------------------------------------------------------------


@needs_terraform
def test_tf_output_shows_what_was_made(ready: Stack) -> None:
    ready.smcli("tf-apply", NAME, "--yes")
    assert ready.smcli("tf-output").stdout.splitlines() == [
        'all         ["a", "b"]',
        "region      ap-northeast-1",
        f"stack_name  {NAME}",
    ]
    told = ready.smcli("tf-output", "--output", "json").stdout
    assert json.loads(told) == json.loads(ready.terraform("output", "-json").stdout)
    one = ready.smcli("tf-output", "--query", "stack_name.value", "--output", "text")
    assert (one.returncode, one.stdout) == (0, f"{NAME}\n")


@needs_terraform
def test_tf_output_says_that_nothing_was_made(ready: Stack) -> None:
    nothing = ready.smcli("tf-output")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr == (
        f"error: There are no outputs in {ready.folder}: no stack was created from it yet.\n"
    )


@needs_terraform
def test_tf_output_tells_why_terraform_could_not(ready: Stack) -> None:
    (ready.folder / "terraform.tfstate").write_text("no state", encoding="utf-8")
    failed = ready.smcli("tf-output")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "Error" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_tf_output_before_tf_init_names_it(pretended: Stack, tmp_path: Path) -> None:
    told = "Required plugins are not installed. To download them, run:\\n  terraform init"
    program = tmp_path / "bin" / "terraform"
    program.write_text(f"#!/bin/sh\nprintf '{told}\\n' >&2\nexit 1\n", encoding="utf-8")
    early = pretended.smcli("tf-output")
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr.endswith("\n  terraform init\nnext: smcli tf-init\n")


# --- which files ---------------------------------------------------------------------------------


def test_tf_output_needs_files(tmp_path: Path) -> None:
    empty = Stack(tmp_path).smcli("tf-output")
    assert (empty.returncode, empty.stderr) == (
        255,
        f"error: There are no .tf files in {tmp_path}.\n",
    )
    there = Stack(tmp_path)
    missing = there.run([*there.line("tf-output"), "--dir", str(tmp_path / "missing")])
    assert missing.returncode == 252


def test_own_files_come_before_those_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tf").mkdir()
    (tmp_path / "tf" / "main.tf").touch()  # of another project
    assert commands.folder_of(None) == COMMAND_LINE / "tf"
    (tmp_path / "tf" / "sagemaker.tf").touch()
    assert commands.folder_of(None) == Path("tf")


def test_an_installed_program_keeps_no_state_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path / "none")
    with pytest.raises(
        Unreadable, match=r"^The files of the stack are not in \./tf\. Copy them: cp"
    ):
        commands.folder_of(None)
