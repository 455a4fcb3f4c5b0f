"""The Terraform stack: its files, and what they make on the lab, read back by boto3.

The whole stack is created once, by the blocks of the page, in the background: the AWS provider
waits 55 seconds after it has set a bucket's lifecycle, however fast the answers are. What needs no
stack is tested meanwhile, so the order of the tests matters for their time.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from awslab.server import running_lab
from awslab.state import State, difference, open_places, snapshot
from botocore.exceptions import ClientError
from proofs.shell import CONTINUED
from sagemaker_cli.terraform_lab import (
    COMMAND_LINE,
    FILES,
    PAGE,
    ROOT,
    Stack,
    blocks,
    clone,
    copy_of_stack,
    needs_provider,
    needs_terraform,
)

ACCOUNT, REGION, NAME = "111122223333", "ap-northeast-1", "my-ml-project"
BUCKETS = {key: f"{NAME}-{key}-{ACCOUNT}" for key in ("input", "output", "models")}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-sagemaker-execution"
each_bucket = pytest.mark.parametrize("bucket", BUCKETS.values(), ids=BUCKETS)
pytestmark = pytest.mark.timeout(300)


class Applying:
    """The stack that the page creates, while it is being created.

    terminal: where the lines of the page run. stack: the folder of its .tf files. lines: what
        became of those that were run so far.
    """

    def __init__(self, terminal: Stack, settings: dict[str, Any]) -> None:
        self.terminal = terminal
        self.stack = Stack(terminal.folder / "examples/sagemaker_cli/tf", terminal.address)
        self.before = held()
        values = self.stack.folder / "more.auto.tfvars.json"
        values.write_text(json.dumps(settings), encoding="utf-8")
        self.lines = terminal.paste("cli-terraform-prepare")
        (self.line,) = blocks()["cli-terraform-create"]
        self.process = subprocess.Popen(
            ["bash", "-c", CONTINUED + self.line],
            cwd=terminal.folder,
            env=terminal.terminal,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.told = ""

    def ended(self) -> str:
        """What Terraform has told, once it has ended well."""
        if not self.told:
            self.told, _ = self.process.communicate(timeout=240)
        assert self.process.returncode == 0, self.told
        return self.told

    def paste(self, section: str) -> str:
        """Run the lines of a section of the page, all of which end well; what they print."""
        made = self.terminal.paste(section)
        self.lines |= made
        for line, done in made.items():
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return "".join(done.stdout for done in made.values())


def held() -> State:
    """All that the lab holds where the stack is made."""
    places = [(service, ACCOUNT, "aws") for service in ("iam", "s3")]
    places += [(service, ACCOUNT, REGION) for service in ("ec2", "sagemaker")]
    open_places(places)
    here = tuple("/".join(place) + "/" for place in places)
    return {path: value for path, value in snapshot().items() if path.startswith(here)}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_lab() as address:
        yield address


@pytest.fixture(scope="module")
def network(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A VPC with two subnets."""
    ec2 = Stack(tmp_path_factory.mktemp("none"), address).client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet_ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=block)["Subnet"]["SubnetId"]
        for block in ("10.0.0.0/24", "10.0.1.0/24")
    ]
    return {"vpc_id": vpc_id, "subnet_ids": subnet_ids}


@pytest.fixture(scope="module")
def applying(
    address: str, network: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Applying]:
    """The stack with all that is optional, while it is being made."""
    settings = {"create_notebook": True, "create_domain": True} | network
    begun = Applying(clone(tmp_path_factory.mktemp("clone"), address), settings)
    yield begun
    if begun.process.poll() is None:
        os.killpg(begun.process.pid, signal.SIGTERM)
        begun.process.communicate(timeout=60)


@pytest.fixture
def stack(applying: Applying) -> Stack:
    """The stack, complete."""
    applying.ended()
    return applying.stack


def plain(told: str) -> str:
    """What a program told, without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", told)


def flat(told: str) -> str:
    """Terraform's messages without the frame and the breaks of its lines."""
    return " ".join(re.sub(r"[│╷╵]", " ", plain(told)).split())


# --- what the reference of the command line shows ------------------------------------------------

SUMMARY = re.compile(
    r".*^((?:Plan:|Apply complete!|Destroy complete!).*)", re.MULTILINE | re.DOTALL
)


def compare(command: str, language: str, line: str, told: str) -> None:
    """Hold the transcript of a command against what it prints, of long messages the summary.

    RECORD=1 in the environment writes it anew.
    """
    told = re.sub(r"\bd-[0-9a-f]{12}\b", "d-1", told)
    text = f"$ {line}\n" + SUMMARY.sub(r"[…]\n\n\1", told)
    path = COMMAND_LINE / "transcripts" / f"{command}.{language}.out"
    if os.environ.get("RECORD"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


# --- the files -----------------------------------------------------------------------------------


@needs_terraform
def test_files_are_formatted() -> None:
    checked = Stack(FILES).run(["terraform", "fmt", "-check", "-diff", "-recursive", str(FILES)])
    assert (checked.returncode, checked.stdout) == (0, "")


@needs_provider
def test_plan_of_the_page_shows_what_will_be_made(applying: Applying) -> None:
    for line, done in applying.lines.items():
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    planned = applying.lines["smcli tf-plan my-ml-project"]
    assert "Plan: 29 to add, 0 to change, 0 to destroy." in planned.stdout


@needs_provider
def test_init_speaks_the_language_of_the_reader(
    applying: Applying, address: str, tmp_path: Path
) -> None:
    terminal = clone(tmp_path, address)
    begun = terminal.run(
        ["smcli", "tf-init", "--dir", "examples/sagemaker_cli/tf"],
        terminal.terminal | {"LANGUAGE": "ja"},
    )
    assert begun.returncode == 0, begun.stderr
    compare("tf-init", "ja", "smcli tf-init", begun.stdout + begun.stderr)


@needs_provider
def test_checks_of_the_page_pass_without_account_and_network(applying: Applying) -> None:
    told = plain(applying.paste("cli-terraform-test")).splitlines()
    assert told[0] == "Success! The configuration is valid."
    assert told[-1] == "Success! 14 passed, 0 failed."


def test_nothing_that_costs_or_deletes_happens_unless_asked_for() -> None:
    text = (FILES / "variables.tf").read_text(encoding="utf-8")
    declared = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL))
    for name in ("create_notebook", "create_domain", "force_destroy"):
        assert re.search(r"^  default +=\s+false$", declared[name], re.MULTILINE)


@needs_provider
def test_a_bucket_with_objects_is_destroyed_only_with_force_destroy(
    applying: Applying, address: str, tmp_path: Path
) -> None:
    other = copy_of_stack(tmp_path, address)
    name, bucket = "other-project", f"other-project-input-{ACCOUNT}"
    one = ("--", '-target=aws_s3_bucket_versioning.this["input"]')
    made = other.smcli("tf-apply", name, "--yes", *one)
    assert made.returncode == 0, made.stdout + made.stderr
    s3 = other.client("s3")
    s3.put_object(Bucket=bucket, Key="training/data.csv", Body=b"1,2")
    s3.delete_object(Bucket=bucket, Key="training/data.csv")  # its version stays
    refused = other.smcli("tf-destroy", name, "--yes")
    assert refused.returncode == 1
    assert "api error BucketNotEmpty" in flat(refused.stderr)
    hint = ("-var", "force_destroy=true", "-target=aws_s3_bucket.this")
    assert f"  smcli tf-apply {name} -- {' '.join(hint)}\n" in refused.stderr
    left = s3.list_object_versions(Bucket=bucket)
    for each in (*left["Versions"], *left["DeleteMarkers"]):
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=bucket)


# --- what they make ------------------------------------------------------------------------------


@needs_provider
def test_outputs_name_what_was_made(stack: Stack, applying: Applying) -> None:
    sagemaker = stack.client("sagemaker")
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName=f"{NAME}-notebook")
    (domain,) = sagemaker.list_domains()["Domains"]
    shown = stack.smcli("tf-output", "--output", "json")
    assert {name: each["value"] for name, each in json.loads(shown.stdout).items()} == {
        "stack_name": NAME,
        "region": REGION,
        "role_arn": ROLE,
        "input_bucket": BUCKETS["input"],
        "output_bucket": BUCKETS["output"],
        "models_bucket": BUCKETS["models"],
        "model_package_group_name": f"{NAME}-models",
        "notebook_name": f"{NAME}-notebook",
        "notebook_url": notebook["Url"],
        "domain_id": domain["DomainId"],
        "domain_url": domain["Url"],
        "user_profile_name": f"{NAME}-user",
    }
    assert "29 added, 0 changed, 0 destroyed" in applying.ended()


@needs_provider
@pytest.mark.skipif(
    not (ROOT / ".venv/aws-cli/bin/aws").exists(), reason="the AWS CLI is not in .venv: make test"
)
def test_outputs_name_role_and_buckets_to_other_programs(stack: Stack, applying: Applying) -> None:
    applying.paste("cli-terraform-use")
    found = stack.client("s3").get_object(Bucket=BUCKETS["input"], Key="training/train.csv")
    assert found["Body"].read() == b"1,0.5\n0,0.1\n"
    kept = ["bash", "-c", CONTINUED + "echo $SAGEMAKER_ROLE_ARN"]
    assert applying.terminal.run(kept, applying.terminal.terminal).stdout == f"{ROLE}\n"
    assert applying.paste("cli-terraform-without").startswith(ROLE)


@needs_provider
@each_bucket
def test_buckets_keep_versions_encrypt_and_let_no_public_in(stack: Stack, bucket: str) -> None:
    s3 = stack.client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    (rule,) = encryption["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert ownership["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@needs_provider
@each_bucket
def test_buckets_refuse_plain_http_and_nothing_else(stack: Stack, bucket: str) -> None:
    s3, plain = stack.client("s3"), stack.client("s3", app_id="plain-http")
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == (
        "Deny",
        "*",
        "s3:*",
    )
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    for call, arguments in (
        (plain.get_object, {"Key": "key"}),
        (plain.put_object, {"Key": "key", "Body": b""}),
        (plain.list_objects_v2, {}),
        (plain.get_bucket_location, {}),
    ):
        with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
            call(Bucket=bucket, **arguments)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"body"
    s3.delete_object(Bucket=bucket, Key="key")  # a version and a delete marker for the destroy


@needs_provider
@each_bucket
def test_buckets_forget_what_nobody_needs(stack: Stack, bucket: str) -> None:
    (rule,) = stack.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule == {
        "ID": "clean-up",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


@needs_provider
def test_role_is_taken_on_by_sagemaker_only(stack: Stack) -> None:
    iam = stack.client("iam")
    role = iam.get_role(RoleName=f"{NAME}-sagemaker-execution")["Role"]
    assert role["Arn"] == ROLE
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
        }
    ]
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSageMakerFullAccess"]
    assert iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"] == ["stack-buckets"]


def decisions(stack: Stack, actions: list[str], resource: str) -> dict[str, str]:
    """What AWS would decide for the role, and by which policies."""
    found = stack.client("iam").simulate_principal_policy(
        PolicySourceArn=ROLE, ActionNames=actions, ResourceArns=[resource]
    )["EvaluationResults"]
    return {
        each["EvalActionName"]: ", ".join(
            [each["EvalDecision"], *(part["SourcePolicyId"] for part in each["MatchedStatements"])]
        )
        for each in found
    }


OBJECT_ACTIONS = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
BUCKET_ACTIONS = ["s3:GetBucketLocation", "s3:ListBucket"]


@needs_provider
@each_bucket
def test_role_reaches_the_objects_by_the_inline_policy_only(stack: Stack, bucket: str) -> None:
    asked = [*OBJECT_ACTIONS, "s3:DeleteObjectVersion", "s3:PutObjectAcl"]
    allowed = dict.fromkeys(OBJECT_ACTIONS, "allowed, stack-buckets")
    refused = dict.fromkeys(asked[4:], "implicitDeny")
    assert decisions(stack, asked, f"arn:aws:s3:::{bucket}/training/data.csv") == allowed | refused
    told = decisions(stack, [*BUCKET_ACTIONS, "s3:DeleteBucket"], f"arn:aws:s3:::{bucket}")
    assert told == {
        **dict.fromkeys(BUCKET_ACTIONS, "allowed, stack-buckets, AmazonSageMakerFullAccess"),
        "s3:DeleteBucket": "implicitDeny",
    }


@needs_provider
@pytest.mark.parametrize(
    "bucket",
    ["amzn-s3-demo-bucket-111122223333", f"{BUCKETS['input']}-copy", f"{NAME}-logs-{ACCOUNT}"],
)
def test_role_reaches_no_objects_of_other_buckets(stack: Stack, bucket: str) -> None:
    told = decisions(stack, OBJECT_ACTIONS, f"arn:aws:s3:::{bucket}/key")
    assert told == dict.fromkeys(OBJECT_ACTIONS, "implicitDeny")


@needs_provider
def test_sagemaker_resources_use_the_role_and_the_network(
    stack: Stack, network: dict[str, Any]
) -> None:
    sagemaker, ec2 = stack.client("sagemaker"), stack.client("ec2")
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName=f"{NAME}-notebook")
    assert notebook["NotebookInstanceStatus"] == "InService"
    assert (notebook["InstanceType"], notebook["VolumeSizeInGB"]) == ("ml.t3.medium", 5)
    assert notebook["RoleArn"] == ROLE
    assert notebook["InstanceMetadataServiceConfiguration"] == {
        "MinimumInstanceMetadataServiceVersion": "2"
    }
    (listed,) = sagemaker.list_domains()["Domains"]
    domain = sagemaker.describe_domain(DomainId=listed["DomainId"])
    assert (domain["DomainName"], domain["AuthMode"]) == (f"{NAME}-domain", "IAM")
    assert (domain["Status"], domain["AppNetworkAccessType"]) == ("InService", "VpcOnly")
    assert domain["VpcId"] == network["vpc_id"]
    assert sorted(domain["SubnetIds"]) == sorted(network["subnet_ids"])
    assert domain["DefaultUserSettings"]["ExecutionRole"] == ROLE
    (group,) = ec2.describe_security_groups(
        GroupIds=domain["DefaultUserSettings"]["SecurityGroups"]
    )["SecurityGroups"]
    (ingress,) = group["IpPermissions"]
    assert (group["VpcId"], ingress["IpProtocol"]) == (network["vpc_id"], "tcp")
    assert [pair["GroupId"] for pair in ingress["UserIdGroupPairs"]] == [group["GroupId"]]
    assert ingress["IpRanges"] == []
    profile = sagemaker.describe_user_profile(
        DomainId=listed["DomainId"], UserProfileName=f"{NAME}-user"
    )
    assert profile["Status"] == "InService"
    packages = sagemaker.describe_model_package_group(ModelPackageGroupName=f"{NAME}-models")
    assert packages["ModelPackageGroupStatus"] == "Completed"


@needs_provider
def test_everything_bears_the_tag_of_the_stack(stack: Stack) -> None:
    tag = {"Key": "Stack", "Value": NAME}
    sagemaker, s3 = stack.client("sagemaker"), stack.client("s3")
    (domain,) = sagemaker.list_domains()["Domains"]
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName=f"{NAME}-notebook")
    (profile,) = sagemaker.list_user_profiles()["UserProfiles"]
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=f"{NAME}-models")
    described = sagemaker.describe_user_profile(
        DomainId=profile["DomainId"], UserProfileName=profile["UserProfileName"]
    )
    for arn in (
        domain["DomainArn"],
        described["UserProfileArn"],
        notebook["NotebookInstanceArn"],
        group["ModelPackageGroupArn"],
    ):
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [tag], arn
    for bucket in BUCKETS.values():
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [tag]
    role = stack.client("iam").get_role(RoleName=f"{NAME}-sagemaker-execution")["Role"]
    assert role["Tags"] == [tag]


# --- again, and away with it ---------------------------------------------------------------------


@needs_provider
def test_second_plan_is_empty(stack: Stack, applying: Applying) -> None:
    told = applying.paste("cli-terraform-check")
    assert "No changes. Your infrastructure matches the configuration." in flat(told)


@needs_provider
def test_destroy_of_the_page_leaves_nothing(stack: Stack, applying: Applying) -> None:
    told = applying.paste("cli-terraform-destroy")
    assert "Apply complete! Resources: 0 added, 3 changed, 0 destroyed." in told
    assert "Destroy complete! Resources: 29 destroyed." in told
    assert difference(applying.before, held()) == []
    nothing = stack.smcli("tf-output")
    assert nothing.returncode == 1
    assert "There are no outputs in" in nothing.stderr


@needs_provider
def test_the_transcripts_are_what_the_page_prints(applying: Applying) -> None:
    """What this program itself says, and so translates, is in that of tf-init only."""
    made = {line: done.stdout + done.stderr for line, done in applying.lines.items()}
    made[applying.line] = applying.ended()
    for command, arguments in (
        ("tf-init", ""),
        ("tf-plan", f" {NAME}"),
        ("tf-apply", f" {NAME} --yes"),
        ("tf-destroy", f" {NAME} --yes"),
        ("tf-output", ""),
    ):
        line = f"smcli {command}{arguments}"
        for language in ("en", "ja") if command != "tf-init" else ("en",):
            compare(command, language, line, made[line])


# --- the page ------------------------------------------------------------------------------------


def test_every_block_of_the_page_was_run_above() -> None:
    run = ["prepare", "create", "use", "without", "check", "test", "destroy"]
    assert sorted(blocks()) == sorted(f"cli-terraform-{name}" for name in run)


def test_page_shows_every_file_variable_and_output() -> None:
    text = PAGE.read_text(encoding="utf-8")
    files = [*FILES.glob("*.tf"), *FILES.glob("*.example")]
    shown = re.findall(r"^:::\{file\} sagemaker_cli/tf/(\S+)$", text, re.MULTILINE)
    assert sorted(shown) == sorted(path.name for path in files)
    for file, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        source = (FILES / file).read_text(encoding="utf-8")
        for name in re.findall(rf'^{kind} "(\w+)"', source, re.MULTILINE):
            assert re.search(rf"^\| .*`{name}`", text, re.MULTILINE), name
