import time
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

NAMES = ["--namespace", "sales", "--workgroup", "analysts"]
CHECK = "Check the options, AWS_DEFAULT_REGION, credentials and network.\n"


def refusing(operation: str) -> Trace:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        wanted = call.operation == operation
        return refusal("AccessDeniedException", "You may not.", 403) if wanted else None

    return Trace(refuse)


def test_a_private_workgroup_with_a_ceiling(
    run: Callable[..., Result], serverless: Any, client: Callable[..., Any]
) -> None:
    result = run("create_workgroup", *NAMES, "--max-rpu", "16")
    assert result == Result(
        0,
        "analysts  AVAILABLE  of namespace sales\n"
        "  capacity            4 to 16 RPU\n"
        "  publiclyAccessible  False\n"
        "  password            in AWS Secrets Manager\n",
        "",
    )
    (group,) = serverless.list_workgroups()["workgroups"]
    assert (group["workgroupName"], group["namespaceName"]) == ("analysts", "sales")
    assert (group["baseCapacity"], group["maxCapacity"]) == (4, 16)
    assert group["publiclyAccessible"] is False
    (namespace,) = serverless.list_namespaces()["namespaces"]
    (secret,) = client("secretsmanager").list_secrets()["SecretList"]
    assert (namespace["namespaceName"], secret["OwningService"]) == ("sales", "redshift")
    assert namespace["adminPasswordSecretArn"] == secret["ARN"]


@pytest.mark.parametrize("rpu", ["4", "8"])
def test_small_ceilings(run: Callable[..., Result], serverless: Any, rpu: str) -> None:
    assert run("create_workgroup", *NAMES, "--max-rpu", rpu).status == 0
    assert serverless.list_workgroups()["workgroups"][0]["maxCapacity"] == int(rpu)


@pytest.mark.parametrize("rpu", ["0", "-8", "2", "5", "12"])
def test_a_ceiling_that_cannot_be_leaves_no_namespace_behind(
    run: Callable[..., Result], serverless: Any, rpu: str
) -> None:
    result = run("create_workgroup", *NAMES, "--max-rpu", rpu)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"error: --max-rpu: {rpu} is neither 4 nor a multiple of 8\n")
    assert serverless.list_namespaces()["namespaces"] == []


def test_a_namespace_that_exists(run: Callable[..., Result], serverless: Any) -> None:
    serverless.create_namespace(namespaceName="sales")
    assert run("create_workgroup", *NAMES) == Result(
        1,
        "",
        "An error occurred (ConflictException) when calling the CreateNamespace operation: "
        "Namespace sales already exists. No namespace was confirmed. If sales exists, "
        f"remove_workgroup.py deletes it with its data. {CHECK}",
    )
    assert serverless.list_workgroups()["workgroups"] == []


def test_a_workgroup_that_exists(run: Callable[..., Result], serverless: Any) -> None:
    serverless.create_namespace(namespaceName="other")
    serverless.create_workgroup(workgroupName="analysts", namespaceName="other")
    assert run("create_workgroup", *NAMES) == Result(
        1,
        "",
        "An error occurred (ConflictException) when calling the CreateWorkgroup operation: "
        "Workgroup analysts already exists. The namespace sales was created: "
        f"remove_workgroup.py deletes it. {CHECK}",
    )


def test_a_workgroup_that_cannot_be_watched(run: Callable[..., Result], serverless: Any) -> None:
    with watching(refusing("GetWorkgroup")):
        result = run("create_workgroup", *NAMES)
    assert result == Result(
        1,
        "",
        "An error occurred (AccessDeniedException) when calling the GetWorkgroup operation: You "
        "may not. The namespace sales and the workgroup analysts were created: "
        f"remove_workgroup.py deletes them. {CHECK}",
    )
    assert len(serverless.list_workgroups()["workgroups"]) == 1


def test_boto3_has_no_waiters_for_it(serverless: Any) -> None:
    assert serverless.waiter_names == []


def test_it_gives_up_after_half_an_hour(
    example: Callable[[str], Any], serverless: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with Stubber(serverless) as stub:
        for _ in range(120):
            stub.add_response("get_workgroup", {"workgroup": {"status": "CREATING"}})
        with pytest.raises(RuntimeError, match=r"^The workgroup is still CREATING$"):
            example("create_workgroup").wait_until_available(serverless, "analysts")
    assert sum(waits) == 1800
