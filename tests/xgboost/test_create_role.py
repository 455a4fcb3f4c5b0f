import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ARGUMENTS = ("--role", "sagemaker-training", "--bucket", BUCKET)
ARN = "arn:aws:iam::111122223333:role/sagemaker-training"


def policy(iam: Any) -> dict[str, Any]:
    found = iam.get_role_policy(RoleName="sagemaker-training", PolicyName="training")
    assert isinstance(found["PolicyDocument"], dict)
    return found["PolicyDocument"]


def test_sagemaker_may_take_the_role_on(run: Run, client: Any) -> None:
    result = run("create_role", *ARGUMENTS)
    assert (result.status, result.output, result.errors) == (0, f"{ARN}\n", "")
    role = client("iam").get_role(RoleName="sagemaker-training")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
    assert role["Tags"] == [{"Key": "made-by", "Value": "create_role.py"}]


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/train/train.csv", True),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/output/job/output/model.tar.gz", True),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", True),
        ("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/train/train.csv", False),
        ("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-other/train/train.csv", False),
        ("ecr:BatchGetImage", "*", True),
        ("ecr:PutImage", "*", False),
        ("cloudwatch:PutMetricData", "*", True),
        ("cloudwatch:DescribeAlarms", "*", True),
        ("cloudwatch:PutMetricAlarm", "*", False),
        (
            "logs:PutLogEvents",
            "arn:aws:logs:ap-northeast-1:111122223333:log-group:/aws/sagemaker/TrainingJobs:x",
            True,
        ),
        ("logs:PutLogEvents", "arn:aws:logs:ap-northeast-1:111122223333:log-group:other", False),
        ("iam:PassRole", ARN, False),
    ],
)
def test_it_may_do_what_a_job_needs(
    run: Run, client: Any, action: str, resource: str, allowed: bool
) -> None:
    run("create_role", *ARGUMENTS)
    document = json.dumps(policy(client("iam")))
    simulated = client("iam").simulate_custom_policy(
        PolicyInputList=[document], ActionNames=[action], ResourceArns=[resource]
    )
    (answer,) = simulated["EvaluationResults"]
    assert (answer["EvalDecision"] == "allowed") is allowed


def test_a_role_that_exists_is_left_alone(run: Run, client: Any) -> None:
    iam = client("iam")
    iam.create_role(RoleName="sagemaker-training", AssumeRolePolicyDocument="{}")
    result = run("create_role", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert "sagemaker-training already exists. No role was created. Check" in result.errors
    assert iam.list_role_policies(RoleName="sagemaker-training")["PolicyNames"] == []
