import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from proofs.trace import Answer, Call, Trace, refusal, watching

CHECK = "Check the options, AWS_DEFAULT_REGION, credentials and network.\n"
NONE = (
    f"No cluster was confirmed. If {{}} exists, it is billed: delete_cluster.py deletes it. {CHECK}"
)


def test_the_cluster_is_private_encrypted_and_of_several_nodes(
    run: Callable[..., Result], redshift: Any
) -> None:
    assert run("create_cluster", "--cluster-id", "sales", "--nodes", "3").status == 0
    (found,) = redshift.describe_clusters()["Clusters"]
    assert found["ClusterIdentifier"] == "sales"
    assert found["ClusterStatus"] == "available"
    assert (found["NodeType"], found["NumberOfNodes"]) == ("ra3.xlplus", 3)
    assert (found["Encrypted"], found["PubliclyAccessible"]) == (True, False)
    roles = [node["NodeRole"] for node in found["ClusterNodes"]]
    assert roles == ["LEADER", "COMPUTE-0", "COMPUTE-1", "COMPUTE-2"]


def test_aws_keeps_a_password_that_nobody_has_chosen(
    run: Callable[..., Result], redshift: Any, client: Callable[..., Any]
) -> None:
    said = run("create_cluster", "--cluster-id", "sales")
    arn = redshift.describe_clusters()["Clusters"][0]["MasterPasswordSecretArn"]
    value = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    secret = json.loads(value)
    assert secret["username"] == "awsuser"
    assert len(secret["password"]) >= 8
    assert secret["password"] not in said.output + said.errors


def test_it_prints_what_it_has_made(run: Callable[..., Result]) -> None:
    result = run("create_cluster", "--cluster-id", "sales", "--node-type", "ra3.4xlarge")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "sales  available\n"
        "  Endpoint            sales.abc123xyz789.ap-northeast-1.redshift.amazonaws.com:5439\n"
        "  nodes               ra3.4xlarge x 2: 1 leader, 2 compute\n"
        "  Encrypted           True\n"
        "  PubliclyAccessible  False\n"
        "  password            in AWS Secrets Manager\n"
    )


def test_a_password_that_aws_does_not_keep_is_told(
    example: Callable[[str], Any],
    make_cluster: Callable[..., str],
    redshift: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_cluster("old", ManageMasterPassword=False, MasterUserPassword="Abcdefg1")
    example("create_cluster").print_cluster(redshift.describe_clusters()["Clusters"][0])
    assert capsys.readouterr().out.endswith("  password            not managed by AWS\n")


def test_the_chosen_subnet_group(
    run: Callable[..., Result], redshift: Any, client: Callable[..., Any]
) -> None:
    subnet = client("ec2").describe_subnets()["Subnets"][0]
    redshift.create_cluster_subnet_group(
        ClusterSubnetGroupName="private", Description="private", SubnetIds=[subnet["SubnetId"]]
    )
    run("create_cluster", "--cluster-id", "sales", "--subnet-group-name", "private")
    (found,) = redshift.describe_clusters()["Clusters"]
    assert (found["ClusterSubnetGroupName"], found["VpcId"]) == ("private", subnet["VpcId"])


@pytest.mark.parametrize("nodes", ["1", "0", "-2"])
def test_fewer_than_two_nodes(run: Callable[..., Result], redshift: Any, nodes: str) -> None:
    result = run("create_cluster", "--cluster-id", "sales", "--nodes", nodes)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(
        "error: --nodes: a cluster of one node cannot be resized elastically; take 2 or more\n"
    )
    assert redshift.describe_clusters()["Clusters"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--cluster-id", "warehouse"], "ClusterAlreadyExists"),
        (["--cluster-id", "Sales"], "InvalidParameterValue"),
        (["--cluster-id", "sales", "--node-type", "ds2.xlarge"], "InvalidParameterValue"),
        (["--cluster-id", "sales", "--nodes", "33"], "NumberOfNodesPerClusterLimitExceeded"),
        (
            ["--cluster-id", "sales", "--subnet-group-name", "none"],
            "ClusterSubnetGroupNotFoundFault",
        ),
    ],
)
def test_what_aws_refuses(
    run: Callable[..., Result], redshift: Any, cluster: str, arguments: list[str], code: str
) -> None:
    before = redshift.describe_clusters()["Clusters"]
    result = run("create_cluster", *arguments)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"An error occurred ({code}) when calling the CreateCluster operation: "
    )
    assert result.errors.endswith(f". {NONE.format(arguments[1])}")
    assert result.errors.count("\n") == 1
    assert redshift.describe_clusters()["Clusters"] == before


def test_a_cluster_that_cannot_be_watched_is_named(
    run: Callable[..., Result], redshift: Any
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation != "DescribeClusters":
            return None
        return refusal("AccessDenied", "You may not look.", 403)

    with watching(Trace(refuse)):
        result = run("create_cluster", "--cluster-id", "sales")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Waiter ClusterAvailable failed: An error occurred (AccessDenied): You may not look. "
        f"sales was requested and will be billed: delete_cluster.py deletes it. {CHECK}"
    )
    assert redshift.describe_clusters()["Clusters"][0]["ClusterIdentifier"] == "sales"
