"""What bare moto does with metrics and alarms: the lab mends it."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK, naive_now

from contracts.gaps import gap

MINUTE = timedelta(minutes=1)
SHOP = [{"Name": "Shop", "Value": "tokyo"}, {"Name": "Page", "Value": "cart"}]


@pytest.fixture
def cloudwatch(bare_moto: None) -> Any:
    return boto3.client("cloudwatch")


def put(cloudwatch: Any, value: float = 1, namespace: str = "Shop", **more: Any) -> None:
    datum = {"MetricName": "Errors", "Value": value, **more}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def alarm(cloudwatch: Any, name: str = "errors", **changed: Any) -> None:
    request = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(**request | changed)


def state(cloudwatch: Any) -> str:
    (found,) = cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    return str(found["StateValue"])


def statistics(cloudwatch: Any, **more: Any) -> list[dict[str, Any]]:
    at = naive_now()
    asked = {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistics": ["Sum"],
        "Period": 60,
        "StartTime": at - timedelta(hours=1),
        "EndTime": at + MINUTE,
    }
    found = cloudwatch.get_metric_statistics(**asked | more)["Datapoints"]
    assert isinstance(found, list)
    return found


def computed(cloudwatch: Any, *queries: dict[str, Any]) -> dict[str, list[Any]]:
    at = naive_now()
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=at - timedelta(hours=1), EndTime=at + MINUTE
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def query(stat: str = "Sum", **metric: Any) -> dict[str, Any]:
    named = {"Namespace": "Shop", "MetricName": "Errors", **metric}
    return {"Id": "m1", "MetricStat": {"Metric": named, "Period": 60, "Stat": stat}}


# --- metrics -------------------------------------------------------------------------------------


@gap("cloudwatch:PutMetricData", "stamps data by the wall's clock")
def test_data_have_the_time_of_the_wall(cloudwatch: Any) -> None:
    CLOCK.advance(86_400)
    try:
        put(cloudwatch)
        assert statistics(cloudwatch) == []
    finally:
        CLOCK.run(None)


@gap("cloudwatch:PutMetricData", "accepts the namespaces of AWS")
def test_anybody_may_put_data_into_the_namespaces_of_aws(cloudwatch: Any) -> None:
    put(cloudwatch, namespace="AWS/SageMaker")
    (found,) = cloudwatch.list_metrics()["Metrics"]
    assert found["Namespace"] == "AWS/SageMaker"


@gap("cloudwatch:PutMetricData", "accepts data of any age")
def test_data_may_be_a_year_old(cloudwatch: Any) -> None:
    put(cloudwatch, Timestamp=naive_now() - timedelta(days=365))
    assert len(cloudwatch.list_metrics()["Metrics"]) == 1


@gap("cloudwatch:ListMetrics", "lists a metric with two dimensions once for each data point")
def test_a_metric_is_listed_again_and_again(cloudwatch: Any) -> None:
    for _ in range(3):
        put(cloudwatch, Dimensions=SHOP)
    assert len(cloudwatch.list_metrics()["Metrics"]) == 3


@gap("cloudwatch:GetMetricStatistics", "ignores ExtendedStatistics")
def test_a_percentile_is_not_answered(cloudwatch: Any) -> None:
    put(cloudwatch)
    (found,) = statistics(cloudwatch, ExtendedStatistics=["p90"])
    assert "ExtendedStatistics" not in found


@gap("cloudwatch:GetMetricStatistics", "begins the periods at the first data point")
def test_a_period_begins_when_data_come(cloudwatch: Any) -> None:
    at = naive_now().replace(second=30, microsecond=0) - 5 * MINUTE
    put(cloudwatch, Timestamp=at)
    (found,) = statistics(cloudwatch)
    assert found["Timestamp"].replace(tzinfo=None) == at


@gap("cloudwatch:GetMetricStatistics", "adds up metrics that have the dimensions among others")
def test_one_of_two_dimensions_is_enough(cloudwatch: Any) -> None:
    put(cloudwatch, Dimensions=SHOP)
    assert len(statistics(cloudwatch, Dimensions=SHOP[:1])) == 1


@gap("cloudwatch:GetMetricData", "computes no expression but the name of another query")
def test_a_sum_is_not_computed(cloudwatch: Any) -> None:
    put(cloudwatch)
    expressions = [{"Id": "e1", "Expression": "m1 + 1"}, {"Id": "e2", "Expression": "m1"}]
    found = computed(cloudwatch, query(), *expressions)
    assert (found["e1"], found["e2"]) == ([], [1.0])


@gap("cloudwatch:GetMetricData", "crashes at a percentile")
def test_a_percentile_is_a_crash(cloudwatch: Any) -> None:
    put(cloudwatch)
    with pytest.raises(TypeError):
        computed(cloudwatch, query("p90"))


@gap("cloudwatch:GetMetricData", "mixes the namespaces")
def test_another_namespace_is_added(cloudwatch: Any) -> None:
    put(cloudwatch, Dimensions=SHOP[:1])
    put(cloudwatch, namespace="Stall", Dimensions=SHOP[:1])
    assert computed(cloudwatch, query(Dimensions=SHOP[:1])) == {"m1": [2.0]}


# --- alarms --------------------------------------------------------------------------------------


@gap("cloudwatch:PutMetricAlarm", "lets an alarm begin as `OK`")
def test_a_new_alarm_is_ok(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    assert state(cloudwatch) == "OK"


@gap("cloudwatch:PutMetricAlarm", "sets the state back when an alarm is changed")
def test_a_changed_alarm_is_ok_again(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    alarm(cloudwatch, Threshold=5)
    assert state(cloudwatch) == "OK"


@gap("cloudwatch:PutMetricAlarm", "never evaluates it")
@gap("cloudwatch:DescribeAlarms", "never evaluates an alarm")
def test_data_do_not_change_an_alarm(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    put(cloudwatch, 9)
    assert state(cloudwatch) == "OK"


@gap("cloudwatch:PutMetricAlarm", "checks hardly any combination of parameters")
def test_an_alarm_of_a_year_is_accepted(cloudwatch: Any) -> None:
    alarm(cloudwatch, EvaluationPeriods=525_600, DatapointsToAlarm=600_000)
    alarm(cloudwatch, Period=61, TreatMissingData="panic")


@gap("cloudwatch:DescribeAlarms", "takes one filter of several")
def test_the_second_filter_is_ignored(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    found = cloudwatch.describe_alarms(AlarmNames=["errors"], StateValue="ALARM")
    assert len(found["MetricAlarms"]) == 1


@gap("cloudwatch:DescribeAlarms", "has no pages")
@gap("cloudwatch:DescribeAlarms", "lists in the order of creation")
def test_all_alarms_come_in_one_page_as_they_were_made(cloudwatch: Any) -> None:
    names = [f"a{number}" for number in range(60, 0, -1)]
    for name in names:
        alarm(cloudwatch, name)
    found = cloudwatch.describe_alarms(MaxRecords=5)["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == names


@gap("cloudwatch:DescribeAlarmsForMetric", "never evaluates an alarm")
@gap("cloudwatch:DescribeAlarmsForMetric", "ignores dimensions")
def test_alarms_of_other_dimensions_are_described(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    put(cloudwatch, 9)
    (found,) = cloudwatch.describe_alarms_for_metric(
        Namespace="Shop", MetricName="Errors", Dimensions=SHOP
    )["MetricAlarms"]
    assert found["StateValue"] == "OK"


@gap("cloudwatch:SetAlarmState", "carries out no action")
def test_no_topic_hears_of_a_change(cloudwatch: Any) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="operators")["TopicArn"]
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["Attributes"]["QueueArn"])
    alarm(cloudwatch, AlarmActions=[topic])
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@gap("cloudwatch:DeleteAlarms", "keeps the tags of a deleted alarm")
def test_the_tags_of_a_deleted_alarm_are_kept(cloudwatch: Any) -> None:
    alarm(cloudwatch, Tags=[{"Key": "team", "Value": "ml"}])
    (found,) = cloudwatch.describe_alarms()["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
