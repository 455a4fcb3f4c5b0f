from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from awslab.services.redshift import resize
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

CHECK = "Check the options, AWS_DEFAULT_REGION, credentials and network.\n"


def nodes(redshift: Any) -> tuple[str, str, int]:
    (found,) = redshift.describe_clusters()["Clusters"]
    return found["ClusterStatus"], found["NodeType"], found["NumberOfNodes"]


def test_more_nodes(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    result = run("resize_cluster", "--cluster-id", cluster, "--nodes", "4")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "warehouse  available  ElasticResize SUCCEEDED\n"
        "  before  ra3.xlplus x 2\n"
        "  after   ra3.xlplus x 4\n"
    )
    assert nodes(redshift) == ("available", "ra3.xlplus", 4)
    done = redshift.describe_resize(ClusterIdentifier=cluster)
    assert (done["ResizeType"], done["Status"]) == ("ElasticResize", "SUCCEEDED")
    assert done["TargetNumberOfNodes"] == 4


def test_fewer_nodes_of_another_type(
    run: Callable[..., Result], redshift: Any, make_cluster: Callable[..., str]
) -> None:
    make_cluster("big", nodes=4, NodeType="ra3.4xlarge")
    arguments = ["--cluster-id", "big", "--nodes", "2", "--node-type", "ra3.16xlarge"]
    assert run("resize_cluster", *arguments).output.endswith(
        "  before  ra3.4xlarge x 4\n  after   ra3.16xlarge x 2\n"
    )
    assert nodes(redshift) == ("available", "ra3.16xlarge", 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nodes", "5"], "AWS offers ra3.xlplus x 3, 4, but not x 5"),
        (["--nodes", "2"], "AWS offers ra3.xlplus x 3, 4, but not x 2"),
        (["--nodes", "1"], "AWS offers ra3.xlplus x 3, 4, but not x 1"),
        (["--nodes", "0"], "AWS offers ra3.xlplus x 3, 4, but not x 0"),
        (
            ["--nodes", "2", "--node-type", "dc2.large"],
            "AWS offers ra3.16xlarge, ra3.4xlarge, ra3.large, ra3.xlplus, rg.12xlarge, "
            "rg.4xlarge, rg.large, rg.xlarge, but not dc2.large",
        ),
    ],
)
def test_what_is_not_offered_is_refused_before_anything_changes(
    run: Callable[..., Result], redshift: Any, cluster: str, arguments: list[str], said: str
) -> None:
    with watching(Trace()) as trace:
        result = run("resize_cluster", "--cluster-id", cluster, *arguments)
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"{said}. warehouse was not changed. {CHECK}"
    assert "ResizeCluster" not in [call.operation for call in trace.calls]
    assert nodes(redshift) == ("available", "ra3.xlplus", 2)


def test_a_single_node_has_no_elastic_resize(
    run: Callable[..., Result], redshift: Any, make_cluster: Callable[..., str]
) -> None:
    make_cluster("small", nodes=1)
    result = run("resize_cluster", "--cluster-id", "small", "--nodes", "2")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "AWS offers no elastic resize: one node needs a classic resize. small was not changed. "
        f"{CHECK}"
    )
    assert nodes(redshift) == ("available", "ra3.xlplus", 1)


def test_offers_are_read_from_every_page(example: Callable[[str], Any], redshift: Any) -> None:
    request = {"ActionType": "resize-cluster", "ClusterIdentifier": "c"}
    pages: list[dict[str, Any]] = [
        {
            "NodeConfigurationOptionList": [{"NodeType": "rg.xlarge", "NumberOfNodes": 4}],
            "Marker": "2",
        },
        {
            "NodeConfigurationOptionList": [
                {"NodeType": "rg.xlarge", "NumberOfNodes": 3},
                {"NodeType": "rg.4xlarge", "NumberOfNodes": 2},
            ]
        },
    ]
    with Stubber(redshift) as stub:
        stub.add_response("describe_node_configuration_options", pages[0], request)
        more = request | {"Marker": "2"}
        stub.add_response("describe_node_configuration_options", pages[1], more)
        found = example("resize_cluster").find_offers(redshift, "c")
    assert found == {"rg.xlarge": [4, 3], "rg.4xlarge": [2]}


def test_a_resize_that_aws_has_not_finished(
    run: Callable[..., Result], redshift: Any, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "finish", lambda cluster: None)
    result = run("resize_cluster", "--cluster-id", cluster, "--nodes", "4")
    assert result.status == 1
    assert result.output.startswith("warehouse  available  ElasticResize IN_PROGRESS\n")
    assert result.errors == "The resize of warehouse has not succeeded: wait.\n"


def test_a_cluster_that_does_not_exist(run: Callable[..., Result]) -> None:
    result = run("resize_cluster", "--cluster-id", "none", "--nodes", "4")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (ClusterNotFound) when calling the DescribeClusters operation: Cluster "
        f"none not found. none was not changed. {CHECK}"
    )


def test_a_resize_that_cannot_be_watched(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        begun = "ResizeCluster" in [earlier.operation for earlier in trace.calls[:-1]]
        return refusal("AccessDenied", "You may not look.", 403) if begun else None

    with watching(Trace(refuse)):
        result = run("resize_cluster", "--cluster-id", cluster, "--nodes", "4")
    assert result.errors == (
        "Waiter ClusterAvailable failed: An error occurred (AccessDenied): You may not look. "
        f"warehouse may be changing its nodes: look at it before you try again. {CHECK}"
    )
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=cluster)
    assert nodes(redshift) == ("available", "ra3.xlplus", 4)


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (400, "was not changed"),
        (500, "may be changing its nodes: look at it before you try again"),
    ],
)
def test_a_refused_resize_has_changed_nothing(
    run: Callable[..., Result], cluster: str, status: int, left: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        answer = refusal("InvalidClusterState", "It is busy.", status)
        return answer if call.operation == "ResizeCluster" else None

    with watching(Trace(refuse)):
        result = run("resize_cluster", "--cluster-id", cluster, "--nodes", "4")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidClusterState) when calling the ResizeCluster operation: It is "
        f"busy. warehouse {left}. {CHECK}"
    )


def test_a_refusal_after_the_resize_has_begun(run: Callable[..., Result], cluster: str) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        answer = refusal("AccessDenied", "You may not look.", 403)
        return answer if call.operation == "DescribeResize" else None

    with watching(Trace(refuse)):
        result = run("resize_cluster", "--cluster-id", cluster, "--nodes", "4")
    assert "warehouse may be changing its nodes: look at it before you try again." in result.errors
