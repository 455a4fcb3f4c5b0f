from collections.abc import Callable
from typing import Any


def test_the_trail_is_gone_and_its_files_stay(
    run: Callable[..., Any], trail: Any, cloudtrail: Any, s3: Any
) -> None:
    before = {found["Key"] for found in s3.list_objects_v2(Bucket=trail.bucket)["Contents"]}
    result = run("remove_trail", "--trail-name", "audit")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted the trail audit; nothing in {trail.bucket} was deleted\n"
    assert cloudtrail.describe_trails()["trailList"] == []
    after = {found["Key"] for found in s3.list_objects_v2(Bucket=trail.bucket)["Contents"]}
    assert before < after  # the last log file and the last digest have come


def test_nothing_is_said_to_stay_in_a_bucket_that_is_gone(
    run: Callable[..., Any], trail: Any, cloudtrail: Any, s3: Any
) -> None:
    cloudtrail.stop_logging(Name="audit")
    for found in s3.list_objects_v2(Bucket=trail.bucket)["Contents"]:
        s3.delete_object(Bucket=trail.bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=trail.bucket)
    result = run("remove_trail", "--trail-name", "audit")
    assert (result.status, result.errors) == (0, "")
    assert "stay" not in result.output
    assert cloudtrail.describe_trails()["trailList"] == []


def test_an_arn_does_as_well(run: Callable[..., Any], trail: Any, cloudtrail: Any) -> None:
    assert run("remove_trail", "--trail-name", trail.arn).status == 0
    assert cloudtrail.describe_trails()["trailList"] == []


def test_a_trail_that_does_not_exist(run: Callable[..., Any]) -> None:
    result = run("remove_trail", "--trail-name", "audit")
    assert (result.status, result.output) == (1, "")
    assert "(TrailNotFoundException)" in result.errors
    assert result.errors.endswith(
        ". The trail audit was not deleted. Check the name, AWS_DEFAULT_REGION (the home Region), "
        "credentials and network.\n"
    )


def test_from_another_region_nothing_is_deleted(
    run: Callable[..., Any], trail: Any, cloudtrail: Any
) -> None:
    result = run("remove_trail", "--trail-name", trail.arn, AWS_DEFAULT_REGION="us-west-2")
    assert result.status == 1
    assert "(InvalidHomeRegionException)" in result.errors
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is True


def test_a_trail_that_has_only_stopped_is_named(
    run: Callable[..., Any], trail: Any, cloudtrail: Any, refuse: Callable[..., Any]
) -> None:
    with refuse("DeleteTrail"):
        result = run("remove_trail", "--trail-name", "audit")
    assert (
        "The trail audit was not deleted. It may have stopped to log to "
        f"{trail.bucket}. " in result.errors
    )
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is False
    assert run("remove_trail", "--trail-name", "audit").status == 0
