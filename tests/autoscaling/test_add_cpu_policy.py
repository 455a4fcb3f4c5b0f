from collections.abc import Callable
from typing import Any

import pytest
from awslab.telemetry import put_metric

Run = Callable[..., Any]


@pytest.fixture
def registered(scaling: Run, endpoint: Any) -> Any:
    given = ("--endpoint", "shop", "--target", "60", "--max", "6")
    assert scaling("add_scaling_policy", *given).status == 0
    return endpoint


def test_what_it_makes(scaling: Run, registered: Any) -> None:
    given = ("--endpoint", "shop", "--percent", "60", "--processors", "4")
    result = scaling("add_cpu_policy", *given)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "policy cpu: 240 = 60 % of 4 processors\n"
        "endpoint/shop/variant/AllTraffic  policies: cpu, invocations\n"
    )
    (policy,) = registered.describe_scaling_policies(
        ServiceNamespace="sagemaker", PolicyNames=["cpu"]
    )["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 240.0,
        "CustomizedMetricSpecification": {
            "MetricName": "CPUUtilization",
            "Namespace": "/aws/sagemaker/Endpoints",
            "Dimensions": [
                {"Name": "EndpointName", "Value": "shop"},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
            "Statistic": "Average",
            "Unit": "Percent",
        },
    }


def test_it_scales_by_the_metric(scaling: Run, registered: Any) -> None:
    scaling("add_cpu_policy", "--endpoint", "shop", "--percent", "50", "--processors", "2")
    names = {"EndpointName": "shop", "VariantName": "AllTraffic"}
    place = ("111122223333", "ap-northeast-1", "/aws/sagemaker/Endpoints", "CPUUtilization")
    put_metric(*place, 190.0, names, "Percent")  # of 200; the target is 100
    (one,) = registered.describe_scaling_activities(ServiceNamespace="sagemaker")[
        "ScalingActivities"
    ]
    assert one["Description"] == "Setting desired instance count to 2."
    assert "triggered policy cpu" in one["Cause"]


def test_a_variant_that_is_not_registered(scaling: Run, endpoint: Any) -> None:
    given = ("--endpoint", "shop", "--percent", "60", "--processors", "2")
    result = scaling("add_cpu_policy", *given)
    assert (result.status, result.output) == (1, "")
    assert "(ObjectNotFoundException)" in result.errors
    assert "The policy cpu of endpoint/shop/variant/AllTraffic may be set" in result.errors


@pytest.mark.parametrize(("percent", "processors"), [("0", "2"), ("101", "2"), ("60", "0")])
def test_bad_options(scaling: Run, lab: None, percent: str, processors: str) -> None:
    given = ("--endpoint", "shop", "--percent", percent, "--processors", processors)
    result = scaling("add_cpu_policy", *given)
    assert (result.status, result.output) == (2, "")
    assert "--processors: 1 or more; --percent: above 0, up to 100" in result.errors
