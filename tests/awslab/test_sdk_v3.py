"""The SageMaker Python SDK v3 on the lab, without any adjustment of the client.

Its import takes about ten seconds, so that all of it is tested in this module.
"""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from awslab.services.sagemaker import hosting
from botocore.client import BaseClient

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # the SDK's own, and those of what it imports
    pytest.mark.timeout(300),
]

ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
REGION, BUCKET = "ap-northeast-1", "amzn-s3-demo-sagemaker"
REGISTRY = f"354813040037.dkr.ecr.{REGION}.amazonaws.com"
IMAGE = f"{REGISTRY}/sagemaker-xgboost:3.0-5"
NO_TELEMETRY = """\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""
EVALUATE = """\
import json
with open("/opt/ml/processing/evaluation/evaluation.json", "w") as report:
    json.dump({"auc": 0.9}, report)
"""


class Server:
    """Instead of a real model server."""

    failure: ClassVar[None] = None

    def __init__(self, backend: Any, model_name: str) -> None:
        self.model_name = model_name

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None:
        pass


@pytest.fixture
def sagemaker(
    client: Callable[..., BaseClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BaseClient]:
    """A lab with a role, a bucket, a few rows to train on, and an artifact `model.tar.gz`."""
    (tmp_path / "config.yaml").write_text(NO_TELEMETRY)
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(tmp_path / "config.yaml"))
    monkeypatch.setattr(hosting, "ModelServer", Server)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam, s3 = client("iam"), client("s3")
    iam.create_role(RoleName="SageMakerExecutionRole", AssumeRolePolicyDocument=document)
    full = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    iam.attach_role_policy(RoleName="SageMakerExecutionRole", PolicyArn=full)
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    rows = "\n".join(f"{n % 2},{n % 2},{n}" for n in range(40))
    s3.put_object(Bucket=BUCKET, Key="train/train.csv", Body=rows.encode())
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=b"model")
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield client("sagemaker")
    logging.disable(disabled)


def session() -> Any:
    from sagemaker.core.helper.session_helper import Session

    return Session(default_bucket=BUCKET)


def trainer(in_session: Any) -> Any:
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, OutputDataConfig

    return ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        sagemaker_session=in_session,
        base_job_name="xgb",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"objective": "binary:logistic", "num_round": 2, "max_depth": 2},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/output"),
    )


def inputs() -> list[Any]:
    from sagemaker.train.configs import InputData

    return [
        InputData(channel_name=name, data_source=f"s3://{BUCKET}/train", content_type="text/csv")
        for name in ("train", "validation")
    ]


def test_image_uris_are_those_of_the_region(sagemaker: BaseClient) -> None:
    from sagemaker.core import image_uris

    assert image_uris.retrieve("xgboost", REGION, version="3.0-5") == IMAGE


def test_a_trainer_starts_a_job(sagemaker: BaseClient) -> None:
    made = trainer(session())
    made.train(input_data_config=inputs(), dry_run=True)
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    made.train(input_data_config=inputs(), wait=False, logs=False)
    (job,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert job["TrainingJobName"].startswith("xgb-")
    told = made._latest_training_job.refresh()
    assert told.training_job_name == job["TrainingJobName"]
    assert told.vpc_config.__class__.__name__ == "Unassigned"


def test_a_role_that_sagemaker_cannot_take_is_seen(sagemaker: BaseClient, client: Any) -> None:
    other = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [other | {"Action": "sts:AssumeRole"}]}
    client("iam").update_assume_role_policy(
        RoleName="SageMakerExecutionRole", PolicyDocument=json.dumps(document)
    )
    with pytest.raises(Exception, match=r"sagemaker\.amazonaws\.com"):
        trainer(session()).train(input_data_config=inputs(), wait=False, logs=False)


def test_a_tuner_starts_a_job(sagemaker: BaseClient) -> None:
    from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
    from sagemaker.train.tuner import HyperparameterTuner

    tuner = HyperparameterTuner(
        model_trainer=trainer(session()),
        objective_metric_name="validation:auc",
        objective_type="Maximize",
        hyperparameter_ranges={
            "max_depth": IntegerParameter(2, 10),
            "eta": ContinuousParameter(0.01, 0.5),
        },
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tuner.tune(inputs=inputs(), wait=False)
    (job,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    name = job["HyperParameterTuningJobName"]
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_a_pipeline_of_the_sdk_runs(sagemaker: BaseClient, tmp_path: Path) -> None:
    from sagemaker.core.processing import ProcessingOutput, ScriptProcessor
    from sagemaker.core.shapes import ProcessingS3Output
    from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterFloat
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

    pipelines = PipelineSession(default_bucket=BUCKET)
    limit = ParameterFloat(name="Limit", default_value=0.95)
    training = TrainingStep(
        name="Train",
        step_args=trainer(pipelines).train(input_data_config=inputs()),
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
    )
    code = tmp_path / "evaluate.py"
    code.write_text(EVALUATE)
    processor = ScriptProcessor(
        image_uri=IMAGE,
        command=["python3"],
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=pipelines,
    )
    output = ProcessingOutput(
        output_name="evaluation",
        s3_output=ProcessingS3Output(
            s3_uri=f"s3://{BUCKET}/evaluation",
            local_path="/opt/ml/processing/evaluation",
            s3_upload_mode="EndOfJob",
        ),
    )
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluation = ProcessingStep(
        name="Evaluate",
        step_args=processor.run(code=str(code), outputs=[output]),
        property_files=[report],
        depends_on=[training],
    )
    auc = JsonGet(step_name="Evaluate", property_file=report, json_path="auc")
    failing = FailStep(name="TooBad", error_message=Join(on=" ", values=["AUC below", limit]))
    check = ConditionStep(
        name="Check",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=limit)],
        if_steps=[],
        else_steps=[failing],
    )
    pipeline = Pipeline(
        name="churn",
        parameters=[limit],
        steps=[training, evaluation, check],
        sagemaker_session=pipelines,
    )
    arn = pipeline.upsert(role_arn=ROLE)["PipelineArn"]
    assert pipeline.upsert(role_arn=ROLE)["PipelineArn"] == arn
    for given, outcome, status in (({"Limit": 0.5}, "True", "Succeeded"), ({}, "False", "Failed")):
        execution = pipeline.start(parameters=given)
        assert execution.describe()["PipelineExecutionStatus"] == "Executing"
        if status == "Succeeded":
            execution.wait(delay=1, max_attempts=60)
        while execution.describe()["PipelineExecutionStatus"] == "Executing":
            pass
        assert execution.describe()["PipelineExecutionStatus"] == status
        steps = {step["StepName"]: step for step in execution.list_steps()}
        assert steps["Check"]["Metadata"]["Condition"]["Outcome"] == outcome
    assert steps["TooBad"]["FailureReason"] == "AUC below 0.95"
    assert steps["Train"]["CacheHitResult"]["SourcePipelineExecutionArn"].startswith(arn)


def test_hosting_by_resources(sagemaker: BaseClient) -> None:
    from sagemaker.core.resources import Endpoint, EndpointConfig, Model
    from sagemaker.core.shapes import (
        CaptureOption,
        ContainerDefinition,
        DataCaptureConfig,
        ProductionVariant,
    )

    container = ContainerDefinition(image=IMAGE, model_data_url=f"s3://{BUCKET}/model.tar.gz")
    model = Model.create(model_name="churn", primary_container=container, execution_role_arn=ROLE)
    assert model.refresh().vpc_config.__class__.__name__ == "Unassigned"
    assert Model.get("churn").enable_network_isolation is False
    assert [each.model_name for each in Model.get_all()] == ["churn"]
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name="churn",
        initial_instance_count=1,
        instance_type="ml.m5.large",
    )
    config = EndpointConfig.create(endpoint_config_name="plain", production_variants=[variant])
    assert config.data_capture_config.__class__.__name__ == "Unassigned"
    capture = DataCaptureConfig(
        enable_capture=True,
        initial_sampling_percentage=100,
        destination_s3_uri=f"s3://{BUCKET}/capture",
        capture_options=[CaptureOption(capture_mode="Input")],
    )
    config = EndpointConfig.create(
        endpoint_config_name="captured",
        production_variants=[variant],
        data_capture_config=capture,
    )
    assert config.data_capture_config.destination_s3_uri == f"s3://{BUCKET}/capture"
    endpoint = Endpoint.create(endpoint_name="churn", endpoint_config_name="captured")
    while endpoint.refresh().endpoint_status == "Creating":
        pass
    assert endpoint.endpoint_status == "InService"
    endpoint.delete()
    for each in (config, EndpointConfig.get("plain"), model):
        each.delete()
    assert sagemaker.list_models()["Models"] == []


def test_the_registry_by_resources(sagemaker: BaseClient) -> None:
    """`create` and `delete` of `ModelPackage` expect a `ModelPackageName`, which versions have not,
    neither here nor on AWS."""
    from sagemaker.core.resources import ModelPackage, ModelPackageGroup

    group = ModelPackageGroup.create(model_package_group_name="churn")
    assert group.refresh().model_package_group_status == "Completed"
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="churn", InferenceSpecification={"Containers": [container]}
    )["ModelPackageArn"]
    package = ModelPackage.get(arn)
    assert package.model_approval_status == "PendingManualApproval"
    assert package.inference_specification.containers[0].image == IMAGE
    package.update(model_approval_status="Approved", model_package_registration_type="Registered")
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert told["ModelApprovalStatus"] == "Approved"
    sagemaker.delete_model_package(ModelPackageName=arn)
    group.delete()
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_builder_registers_and_deploys(sagemaker: BaseClient) -> None:
    from sagemaker.serve import ModelBuilder

    builder = ModelBuilder(
        image_uri=IMAGE,
        s3_model_data_url=f"s3://{BUCKET}/model.tar.gz",
        role_arn=ROLE,
        sagemaker_session=session(),
        instance_type="ml.m5.large",
    )
    builder.build(model_name="churn")
    arn = builder.register(
        model_package_group_name="churn",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        approval_status="PendingManualApproval",
    )
    assert arn.endswith(":model-package/churn/1")
    builder.deploy(
        endpoint_name="churn", initial_instance_count=1, instance_type="ml.m5.large", wait=False
    )
    told = sagemaker.describe_endpoint(EndpointName="churn")
    assert told["EndpointStatus"] in ("Creating", "InService")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=told["EndpointConfigName"])
    assert [variant["VariantName"] for variant in config["ProductionVariants"]] == ["AllTraffic"]


def test_a_monitor_makes_a_schedule(sagemaker: BaseClient) -> None:
    from sagemaker.core.model_monitor import CronExpressionGenerator, DefaultModelMonitor
    from sagemaker.core.resources import MonitoringSchedule

    monitor = DefaultModelMonitor(
        role=ROLE, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session()
    )
    monitor.create_monitoring_schedule(
        monitor_schedule_name="hourly",
        endpoint_input="churn",
        output_s3_uri=f"s3://{BUCKET}/monitoring",
        schedule_cron_expression=CronExpressionGenerator.hourly(),
    )
    assert monitor.describe_schedule()["MonitoringScheduleStatus"] in ("Pending", "Scheduled")
    told = MonitoringSchedule.get("hourly")
    assert (told.monitoring_type, told.endpoint_name) == ("DataQuality", "churn")
    monitor.stop_monitoring_schedule()
    assert MonitoringSchedule.get("hourly").monitoring_schedule_status == "Stopped"


def test_a_run_is_tracked(sagemaker: BaseClient) -> None:
    from sagemaker.core.experiments import Run

    for value in (0.5, 0.75):
        with Run(experiment_name="churn", run_name="first", sagemaker_session=session()) as run:
            run.log_parameter("depth", 3)
            run.log_metric("auc", value, step=1)
    (experiment,) = sagemaker.list_experiments()["ExperimentSummaries"]
    assert experiment["ExperimentName"] == "churn"
    (component,) = sagemaker.list_trial_components(ExperimentName="churn")[
        "TrialComponentSummaries"
    ]
    told = sagemaker.describe_trial_component(TrialComponentName=component["TrialComponentName"])
    assert told["Parameters"]["depth"] == {"NumberValue": 3.0}


def test_a_notebook_instance(sagemaker: BaseClient) -> None:
    from sagemaker.core.resources import NotebookInstance

    notebook = NotebookInstance.create(
        notebook_instance_name="mynotebook", instance_type="ml.t3.medium", role_arn=ROLE
    )
    while notebook.refresh().notebook_instance_status == "Pending":
        pass
    notebook.stop()
    while notebook.refresh().notebook_instance_status == "Stopping":
        pass
    notebook.delete()
    assert (
        sagemaker.list_notebook_instances()["NotebookInstances"][0]["NotebookInstanceStatus"]
        == "Deleting"
    )
