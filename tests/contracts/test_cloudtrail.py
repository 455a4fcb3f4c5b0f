"""What bare moto does with trails: it keeps them, and nothing follows from it."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.gaps import gap

BUCKET = "amzn-s3-demo-logs"
TRAIL = {"Name": "audit", "S3BucketName": BUCKET}


@pytest.fixture
def s3(bare_moto: None) -> Any:
    client = boto3.client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return client


@pytest.fixture
def cloudtrail(s3: Any) -> Any:
    """A client, and the trail `audit`."""
    client = boto3.client("cloudtrail")
    client.create_trail(**TRAIL)
    return client


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    code: str = refused.value.response["Error"]["Code"]
    return code


@gap("cloudtrail:CreateTrail", "accepts a bucket whose policy does not let CloudTrail write")
def test_a_bucket_without_policy_is_taken(s3: Any) -> None:
    assert refusal(s3.get_bucket_policy, Bucket=BUCKET) == "NoSuchBucketPolicy"
    boto3.client("cloudtrail").create_trail(**TRAIL)


@gap("cloudtrail:CreateTrail", "overwrites a trail of the same name")
def test_the_same_name_twice(cloudtrail: Any) -> None:
    cloudtrail.create_trail(**TRAIL, EnableLogFileValidation=True)
    assert cloudtrail.get_trail(Name="audit")["Trail"]["LogFileValidationEnabled"] is True


@gap("cloudtrail:CreateTrail", "counts no trails")
def test_six_trails(cloudtrail: Any) -> None:
    for number in range(5):
        cloudtrail.create_trail(Name=f"trail-{number}", S3BucketName=BUCKET)
    assert len(cloudtrail.describe_trails()["trailList"]) == 6


@gap("cloudtrail:CreateTrail", "looks for no KMS key", "looks for no log group")
def test_a_key_and_a_group_that_do_not_exist(s3: Any) -> None:
    boto3.client("cloudtrail").create_trail(
        **TRAIL,
        KmsKeyId="alias/none",
        CloudWatchLogsLogGroupArn="none",
        CloudWatchLogsRoleArn="none",
    )


@gap("cloudtrail:CreateTrail", "takes the ARN of a topic for its name")
def test_the_arn_of_a_topic(s3: Any) -> None:
    arn = boto3.client("sns").create_topic(Name="trails")["TopicArn"]
    wanted = TRAIL | {"SnsTopicName": arn}
    code = refusal(boto3.client("cloudtrail").create_trail, **wanted)
    assert code == "InsufficientSnsTopicPolicyException"


@gap("cloudtrail:CreateTrail", "drops `RecursiveLogging`")
@gap("cloudtrail:UpdateTrail", "drops `RecursiveLogging`")
def test_recursive_logging_is_dropped(cloudtrail: Any) -> None:
    made = cloudtrail.create_trail(**TRAIL, RecursiveLogging=False)
    changed = cloudtrail.update_trail(Name="audit", RecursiveLogging=False)
    assert "RecursiveLogging" not in made and "RecursiveLogging" not in changed


@gap("cloudtrail:UpdateTrail", "checks nothing")
def test_an_update_takes_a_bucket_that_does_not_exist(cloudtrail: Any) -> None:
    changed = cloudtrail.update_trail(Name="audit", S3BucketName="amzn-s3-demo-none")
    assert changed["S3BucketName"] == "amzn-s3-demo-none"


@gap("cloudtrail:GetTrail", "does not find a multi-Region trail in another Region")
def test_a_trail_from_another_region(cloudtrail: Any) -> None:
    arn = cloudtrail.update_trail(Name="audit", IsMultiRegionTrail=True)["TrailARN"]
    elsewhere = boto3.client("cloudtrail", region_name="eu-west-1")
    assert refusal(elsewhere.get_trail, Name=arn) == "TrailNotFoundException"


@gap("cloudtrail:GetTrail", "leaves out `HomeRegion`")
def test_a_trail_without_home(cloudtrail: Any) -> None:
    assert "HomeRegion" not in cloudtrail.get_trail(Name="audit")["Trail"]


@gap("cloudtrail:DescribeTrails", "ignores `trailNameList`")
def test_a_description_of_another_trail(cloudtrail: Any) -> None:
    assert len(cloudtrail.describe_trails(trailNameList=["other"])["trailList"]) == 1


@gap("cloudtrail:DeleteTrail", "says nothing about a trail that does not exist")
def test_the_deletion_of_no_trail(cloudtrail: Any) -> None:
    cloudtrail.delete_trail(Name="none")


@gap("cloudtrail:DeleteTrail", "keeps a trail that its ARN names")
def test_the_deletion_by_arn(cloudtrail: Any) -> None:
    cloudtrail.delete_trail(Name=cloudtrail.get_trail(Name="audit")["Trail"]["TrailARN"])
    assert len(cloudtrail.list_trails()["Trails"]) == 1


@gap("cloudtrail:StartLogging", "records nothing")
@gap("cloudtrail:StopLogging", "delivers no last digest")
@gap("cloudtrail:GetTrailStatus", "pretends that files were delivered")
def test_nothing_is_recorded(cloudtrail: Any, s3: Any) -> None:
    cloudtrail.update_trail(Name="audit", EnableLogFileValidation=True)
    cloudtrail.start_logging(Name="audit")
    assert "LatestDeliveryTime" in cloudtrail.get_trail_status(Name="audit")
    cloudtrail.stop_logging(Name="audit")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@gap("cloudtrail:PutEventSelectors", "knows no rules of selectors")
def test_any_selector_is_taken(cloudtrail: Any) -> None:
    resource = {"Type": "AWS::Mars::Rover", "Values": ["everything"]}
    cloudtrail.put_event_selectors(
        TrailName="audit", EventSelectors=[{"DataResources": [resource]}] * 6
    )


@gap("cloudtrail:PutEventSelectors", "keeps advanced selectors beside basic ones")
def test_both_kinds_of_selectors_at_once(cloudtrail: Any) -> None:
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    cloudtrail.put_event_selectors(
        TrailName="audit", AdvancedEventSelectors=[{"FieldSelectors": [category]}]
    )
    cloudtrail.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "All"}])
    found = cloudtrail.get_event_selectors(TrailName="audit")
    assert found["EventSelectors"] and found["AdvancedEventSelectors"]


@gap("cloudtrail:GetEventSelectors", "shows no selector of a trail that has the default one")
def test_no_default_selector(cloudtrail: Any) -> None:
    assert cloudtrail.get_event_selectors(TrailName="audit")["EventSelectors"] == []


@gap("cloudtrail:GetInsightSelectors", "answers without an error when Insights is off")
@gap("cloudtrail:PutInsightSelectors", "adds to the selectors that were there")
def test_insight_selectors_add_up(cloudtrail: Any) -> None:
    assert "InsightSelectors" not in cloudtrail.get_insight_selectors(TrailName="audit")
    for kind in ("ApiCallRateInsight", "ApiErrorRateInsight"):
        cloudtrail.put_insight_selectors(
            TrailName="audit", InsightSelectors=[{"InsightType": kind}]
        )
    assert len(cloudtrail.get_insight_selectors(TrailName="audit")["InsightSelectors"]) == 2
