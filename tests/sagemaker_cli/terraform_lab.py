"""Terraform for tests: the stack's own files in a folder of the test, run against a lab.

The provider comes from the folder that TF_PLUGIN_MIRROR names, or /opt/tf-plugins; nothing is
downloaded. The files need no change: the AWS provider reads AWS_ENDPOINT_URL.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.embedded import REGION, environment
from awslab.scenarios import EXAMPLES
from botocore.config import Config
from proofs.shell import CONTINUED

ROOT = EXAMPLES.parent
COMMAND_LINE = EXAMPLES / "sagemaker_cli"
PAGE = ROOT / "docs" / "cli" / "terraform.md"
FILES = COMMAND_LINE / "tf"
MIRROR = Path(os.environ.get("TF_PLUGIN_MIRROR", "/opt/tf-plugins"))
PROVIDER = "registry.terraform.io/hashicorp/aws"

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not on PATH"
)
needs_provider = pytest.mark.skipif(
    shutil.which("terraform") is None or not (MIRROR / PROVIDER).is_dir(),
    reason=f"terraform is not on PATH, or {MIRROR} (TF_PLUGIN_MIRROR) holds no {PROVIDER}",
)


@dataclass(frozen=True)
class Stack:
    """A copy of the stack's files, and the lab that Terraform reaches from it.

    address: None: Terraform reaches nothing.
    """

    folder: Path
    address: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the user's own settings, of AWS or of Terraform."""
        kept = {k: v for k, v in environment().items() if not k.startswith(("TF_", "SMCLI_"))}
        settings = {
            "LANGUAGE": "en",
            "NO_COLOR": "1",
            "PYTHONPATH": str(COMMAND_LINE),
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraformrc"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }
        return kept | settings | ({"AWS_ENDPOINT_URL": self.address} if self.address else {})

    @property
    def terminal(self) -> dict[str, str]:
        """The environment of a terminal with the programs that the page starts."""
        programs = (self.folder, ROOT / ".venv" / "aws-cli" / "bin", os.environ["PATH"])
        settings = {"PATH": ":".join(map(str, programs)), "HOME": str(self.folder)}
        return self.environment | settings | {"KEPT": str(self.folder / "kept")}

    def paste(self, section: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """What becomes of each line that the page shows in a section, up to one that fails."""
        found = {}
        for line in blocks()[section]:
            found[line] = self.run(["bash", "-c", CONTINUED + line], self.terminal)
            if found[line].returncode:
                break
        return found

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(["terraform", f"-chdir={self.folder}", *arguments])

    def smcli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.line(*arguments))

    def line(self, command: str, *arguments: str) -> list[str]:
        """The words of a call of the command line; `--` and what follows go to Terraform."""
        return [sys.executable, "-m", "smcli", command, "--dir", str(self.folder), *arguments]

    def run(
        self, call: Sequence[str], settings: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            call,
            cwd=self.folder,
            env=settings or self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def client(self, service: str, app_id: str | None = None) -> Any:
        """A boto3 client of the lab, which knows nothing of Terraform."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.address,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(user_agent_appid=app_id),
        )


def blocks() -> dict[str, list[str]]:
    """The lines of the `bash` fences of the page by the label of their section; a section has one
    at most."""
    found: dict[str, list[str]] = {}
    label = ""
    for named, block in re.findall(
        r"^\((cli-terraform[a-z-]*)\)=$|^```bash\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    ):
        label = named or label
        if block:
            assert label not in found
            found[label] = block.splitlines()
    return found


def clone(folder: Path, address: str) -> Stack:
    """What a reader of the page has: the repository, and smcli on the PATH."""
    left_out = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars", "__pycache__")
    copied = folder / "examples" / "sagemaker_cli"
    shutil.copytree(COMMAND_LINE, copied, ignore=left_out)
    launcher = folder / "smcli"
    launcher.write_text(f'#!/bin/sh\nPYTHON={sys.executable} exec {copied}/script.sh "$@"\n')
    launcher.chmod(0o755)
    for each in (folder, copied / "tf"):
        write_settings(each)
    return Stack(folder, address)


def copy_of_stack(folder: Path, address: str | None = None) -> Stack:
    """The files in a folder of their own, with the provider of the mirror.

    The lock file may not change: it names the provider of the mirror, too.
    """
    left_out = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars")
    shutil.copytree(FILES, folder, ignore=left_out, dirs_exist_ok=True)
    write_settings(folder)
    stack = Stack(folder, address)
    begun = stack.terraform("init", "-no-color", "-lockfile=readonly")
    assert begun.returncode == 0, begun.stdout + begun.stderr
    return stack


def write_settings(folder: Path) -> None:
    """What Terraform is to do instead of asking the registry."""
    (folder / "terraformrc").write_text(
        "disable_checkpoint = true\n"
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path = {json.dumps(str(MIRROR))}\n  }}\n"
        "}\n",
        encoding="utf-8",
    )
