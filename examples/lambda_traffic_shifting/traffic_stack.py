"""An API whose Lambda alias CodeDeploy moves to each new version, in AWS CDK v2."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk
from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

SHIFTS = {
    "all-at-once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
    "canary": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "linear": codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
}


class TrafficStack(aws_cdk.Stack):
    """API Gateway, the alias that it calls, and the deployment group that moves the alias.

    code: the text of the function's file. endpoint: of SageMaker, which the function calls.
    """

    def __init__(self, scope: Construct, name: str, *, code: str, endpoint: str, shift: str):
        super().__init__(scope, name)
        # [start: version]
        function = lambda_.Function(
            self,
            "Score",
            runtime=lambda_.Runtime.PYTHON_3_13,
            code=lambda_.Code.from_inline(code),
            handler="index.handler",
            timeout=Duration.seconds(30),
            environment={"ENDPOINT_NAME": endpoint},
            # A version that was deployed once stays, to return to.
            current_version_options={"removal_policy": aws_cdk.RemovalPolicy.RETAIN},
        )
        alias = lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)
        # [end: version]
        called = self.format_arn(service="sagemaker", resource="endpoint", resource_name=endpoint)
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[called])
        )
        # [start: shift]
        errors = alias.metric_errors(period=Duration.minutes(1)).create_alarm(
            self,
            "Errors",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        codedeploy.LambdaDeploymentGroup(
            self, "Shift", alias=alias, deployment_config=SHIFTS[shift], alarms=[errors]
        )
        # Callers sign their requests; the setting of logs belongs to all APIs of the Region.
        api = apigateway.RestApi(self, "Api", cloud_watch_role=False)
        api.root.add_method(
            "POST",
            apigateway.LambdaIntegration(alias),
            authorization_type=apigateway.AuthorizationType.IAM,
        )
        # [end: shift]


def moved_by(resources: dict[str, Any]) -> Iterator[str]:
    """What the template says of the deployment: its configuration, and what ends it."""
    for resource in resources.values():
        if resource["Type"] == "AWS::CodeDeploy::DeploymentGroup":
            properties = resource["Properties"]
            yield properties["DeploymentConfigName"]
            yield from properties["AutoRollbackConfiguration"]["Events"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--handler", type=Path, default=Path("score_rows.py"))
    parser.add_argument("--endpoint", default="shop")
    parser.add_argument("--shift", choices=SHIFTS, default="canary")
    parser.add_argument(
        "--out", type=Path, help="folder of the template; the CDK's own choice if left out"
    )
    arguments = parser.parse_args()
    try:
        code = arguments.handler.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Give --handler the file of the function.")
    # Absolute: the CDK's Node process may have another current folder.
    app = aws_cdk.App(outdir=str(arguments.out.resolve()) if arguments.out else None)
    name = f"shop-{arguments.shift}"
    TrafficStack(app, name, code=code, endpoint=arguments.endpoint, shift=arguments.shift)
    resources = app.synth().get_stack_by_name(name).template["Resources"]
    print(name, " ".join(moved_by(resources)))


if __name__ == "__main__":
    main()
