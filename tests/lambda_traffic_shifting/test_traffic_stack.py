"""The templates of the three shifts: asserted, and read by cfn-lint. One synthesis serves all."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES

cdk: Any = pytest.importorskip("aws_cdk", reason="the AWS CDK: make test-cdk")
pytestmark = pytest.mark.cdk

PROGRAM = EXAMPLES / "lambda_traffic_shifting" / "traffic_stack.py"
CODE = (EXAMPLES / "lambda_traffic_shifting" / "score_rows.py").read_text(encoding="utf-8")
SHIFTS = {
    "all-at-once": "CodeDeployDefault.LambdaAllAtOnce",
    "canary": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "linear": "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
}
Run = Callable[..., Result]
Template = Any


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Templates of the three shifts, and of the canary with other code of the function."""
    spec = importlib.util.spec_from_file_location("traffic_stack", PROGRAM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = tmp_path_factory.mktemp("cdk.out")
    app = cdk.App(outdir=str(made))
    for shift in SHIFTS:
        module.TrafficStack(app, shift, code=CODE, endpoint="shop", shift=shift)
    module.TrafficStack(app, "changed", code=f"{CODE}#", endpoint="shop", shift="canary")
    module.TrafficStack(app, "setting", code=CODE, endpoint="shop-2", shift="canary")
    app.synth()
    return made


def read(folder: Path, name: str) -> Template:
    from aws_cdk.assertions import Template

    return Template.from_json(json.loads((folder / f"{name}.template.json").read_text()))


@pytest.fixture(params=SHIFTS)
def template(folder: Path, request: pytest.FixtureRequest) -> Template:
    return read(folder, request.param)


def only(template: Template, kind: str) -> tuple[str, dict[str, Any]]:
    """The logical id and the resource, of which there is one."""
    ((name, resource),) = template.find_resources(kind).items()
    return name, resource


@pytest.mark.parametrize("shift", SHIFTS)
def test_each_shift_has_its_configuration(folder: Path, shift: str) -> None:
    read(folder, shift).has_resource_properties(
        "AWS::CodeDeploy::DeploymentGroup", {"DeploymentConfigName": SHIFTS[shift]}
    )


def test_the_api_calls_the_alias_and_not_the_function(template: Template) -> None:
    alias, _ = only(template, "AWS::Lambda::Alias")
    _, method = only(template, "AWS::ApiGateway::Method")
    uri = json.dumps(method["Properties"]["Integration"]["Uri"])
    assert json.dumps({"Ref": alias}) in uri
    permissions = template.find_resources("AWS::Lambda::Permission").values()
    assert permissions
    assert all(p["Properties"]["FunctionName"] == {"Ref": alias} for p in permissions)


def test_callers_must_sign_their_requests(template: Template) -> None:
    template.all_resources_properties("AWS::ApiGateway::Method", {"AuthorizationType": "AWS_IAM"})


def test_no_setting_of_the_whole_region_is_changed(template: Template) -> None:
    template.resource_count_is("AWS::ApiGateway::Account", 0)


def test_cloudformation_leaves_the_alias_to_codedeploy(template: Template) -> None:
    group, _ = only(template, "AWS::CodeDeploy::DeploymentGroup")
    application, _ = only(template, "AWS::CodeDeploy::Application")
    _, alias = only(template, "AWS::Lambda::Alias")
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"] == {
        "ApplicationName": {"Ref": application},
        "DeploymentGroupName": {"Ref": group},
    }


def test_the_alarm_watches_the_alias_and_ends_the_deployment(template: Template) -> None:
    name, alarm = only(template, "AWS::CloudWatch::Alarm")
    function, _ = only(template, "AWS::Lambda::Function")
    properties = alarm["Properties"]
    assert (properties["Namespace"], properties["MetricName"]) == ("AWS/Lambda", "Errors")
    assert (properties["Period"], properties["EvaluationPeriods"]) == (60, 1)
    assert properties["TreatMissingData"] == "notBreaching"
    assert {d["Name"]: d["Value"] for d in properties["Dimensions"]} == {
        "FunctionName": {"Ref": function},
        "Resource": {"Fn::Join": ["", [{"Ref": function}, ":live"]]},
    }
    _, group = only(template, "AWS::CodeDeploy::DeploymentGroup")
    assert group["Properties"]["AlarmConfiguration"]["Alarms"] == [{"Name": {"Ref": name}}]
    assert group["Properties"]["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    }


def test_the_roles(template: Template) -> None:
    _, policy = only(template, "AWS::IAM::Policy")
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert statement["Resource"]["Fn::Join"][1][-1].endswith(":endpoint/shop")
    roles = {
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]: role
        for role in template.find_resources("AWS::IAM::Role").values()
    }
    assert roles.keys() == {"lambda.amazonaws.com", "codedeploy.amazonaws.com"}
    managed = json.dumps(roles["codedeploy.amazonaws.com"]["Properties"]["ManagedPolicyArns"])
    assert ":iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited" in managed


def test_the_function(template: Template) -> None:
    _, function = only(template, "AWS::Lambda::Function")
    properties = function["Properties"]
    assert (properties["Runtime"], properties["Handler"]) == ("python3.13", "index.handler")
    assert properties["Environment"] == {"Variables": {"ENDPOINT_NAME": "shop"}}
    assert properties["Code"] == {"ZipFile": CODE}


@pytest.mark.parametrize("other", ["changed", "setting"])
def test_other_code_or_settings_make_a_new_version_for_the_same_alias(
    folder: Path, other: str
) -> None:
    """It is the new version that starts a deployment; the old one stays, to return to."""
    before, after = read(folder, "canary"), read(folder, other)
    (old, kept), (new, _) = (only(t, "AWS::Lambda::Version") for t in (before, after))
    assert old != new
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    for kind in ("AWS::Lambda::Alias", "AWS::Lambda::Function", "AWS::ApiGateway::RestApi"):
        assert only(before, kind)[0] == only(after, kind)[0]
    version = only(after, "AWS::Lambda::Alias")[1]["Properties"]["FunctionVersion"]
    assert version == {"Fn::GetAtt": [new, "Version"]}


def test_the_same_code_makes_the_same_version(folder: Path) -> None:
    versions = {only(read(folder, shift), "AWS::Lambda::Version")[0] for shift in SHIFTS}
    assert len(versions) == 1


def lint(*templates: Path) -> subprocess.CompletedProcess[str]:
    start = "import sys; from cfnlint.runner import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "-i", "W3005", "-r", "ap-northeast-1", "-t"]
    return subprocess.run(
        [*command, *map(str, templates)], capture_output=True, text=True, check=False
    )


def test_cfn_lint_has_nothing_to_say(folder: Path) -> None:
    done = lint(*(folder / f"{shift}.template.json" for shift in SHIFTS))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_cfn_lint_would_see_a_mistake(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.template.json"
    text = (folder / "canary.template.json").read_text()
    broken.write_text(text.replace('"python3.13"', '"python3.8"').replace('"Period"', '"Perod"'))
    said = lint(broken).stdout
    assert "python3.8" in said and "Perod" in said


def test_what_the_program_prints_and_writes(run: Run, tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text("def handler(event, context): ...\n")
    result = run(
        "traffic_stack", "--handler", str(handler), "--shift", "linear", "--out", str(tmp_path)
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-linear CodeDeployDefault.LambdaLinear10PercentEvery1Minute "
        "DEPLOYMENT_FAILURE DEPLOYMENT_STOP_ON_ALARM\n"
    )
    assert handler.read_text() in json.dumps(
        json.loads((tmp_path / "shop-linear.template.json").read_text())
    ).replace("\\n", "\n")


def test_a_handler_that_is_no_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_bytes(b"\xff\xfe\x00")
    result = run("traffic_stack", "--handler", str(tmp_path / "handler.py"))
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(". Give --handler the file of the function.\n")


def test_a_handler_that_is_missing(run: Run, tmp_path: Path) -> None:
    result = run("traffic_stack", "--handler", str(tmp_path / "none.py"))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("[Errno 2] No such file or directory: ")
    assert result.errors.endswith(". Give --handler the file of the function.\n")
