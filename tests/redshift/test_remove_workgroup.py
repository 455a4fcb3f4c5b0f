import time
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import ClientError
from proofs.trace import Trace, refusal, watching

NAMES = ["--namespace", "sales", "--workgroup", "analysts"]
LEFT = (
    "Workgroup analysts and namespace sales may still exist: run it again. "
    "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"
)


@pytest.fixture
def workgroup(serverless: Any) -> None:
    """The workgroup `analysts` of the namespace `sales`, available."""
    serverless.create_namespace(namespaceName="sales", manageAdminPassword=True)
    serverless.create_workgroup(workgroupName="analysts", namespaceName="sales")
    while serverless.get_workgroup(workgroupName="analysts")["workgroup"]["status"] != "AVAILABLE":
        pass


def left(serverless: Any) -> list[str]:
    groups = serverless.list_workgroups()["workgroups"]
    namespaces = serverless.list_namespaces()["namespaces"]
    return [g["workgroupName"] for g in groups] + [n["namespaceName"] for n in namespaces]


@pytest.mark.usefixtures("workgroup")
def test_both_go_and_the_secret_too(
    run: Callable[..., Result], serverless: Any, client: Callable[..., Any]
) -> None:
    with watching(Trace()) as trace:
        result = run("remove_workgroup", *NAMES)
    said = "deleted workgroup analysts\ndeleted namespace sales\n"
    assert result == Result(0, said, "")
    assert left(serverless) == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []
    deletions = [c.operation for c in trace.calls if c.operation.startswith("Delete")]
    assert deletions == ["DeleteWorkgroup", "DeleteNamespace"]


def test_a_namespace_without_a_workgroup(run: Callable[..., Result], serverless: Any) -> None:
    serverless.create_namespace(namespaceName="sales")
    said = "workgroup analysts was not found\ndeleted namespace sales\n"
    assert run("remove_workgroup", *NAMES) == Result(0, said, "")
    assert left(serverless) == []


@pytest.mark.usefixtures("lab")
def test_nothing_there(run: Callable[..., Result]) -> None:
    said = "workgroup analysts was not found\nnamespace sales was not found\n"
    assert run("remove_workgroup", *NAMES) == Result(0, said, "")


@pytest.mark.usefixtures("workgroup")
def test_a_namespace_that_another_workgroup_uses_stays(
    run: Callable[..., Result], serverless: Any
) -> None:
    result = run("remove_workgroup", "--namespace", "sales", "--workgroup", "other")
    assert (result.status, result.output) == (1, "workgroup other was not found\n")
    assert result.errors.startswith(
        "An error occurred (ConflictException) when calling the DeleteNamespace operation: "
    )
    assert left(serverless) == ["analysts", "sales"]


@pytest.mark.usefixtures("workgroup")
def test_a_refused_deletion_names_both(run: Callable[..., Result], serverless: Any) -> None:
    answer = refusal("AccessDeniedException", "You may not.", 403)
    trace = Trace(lambda _, call: answer if call.operation == "DeleteNamespace" else None)
    with watching(trace):
        result = run("remove_workgroup", *NAMES)
    assert result == Result(
        1,
        "deleted workgroup analysts\n",
        "An error occurred (AccessDeniedException) when calling the DeleteNamespace operation: You "
        f"may not. {LEFT}",
    )
    assert left(serverless) == ["sales"]


def test_only_a_missing_thing_is_gone(example: Callable[[str], Any]) -> None:
    def fail(code: str) -> Callable[[], None]:
        def describe() -> None:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetNamespace")

        return describe

    is_gone = example("remove_workgroup").is_gone
    assert is_gone(fail("ResourceNotFoundException")) is True
    assert is_gone(lambda: None) is False
    with pytest.raises(ClientError):
        is_gone(fail("AccessDeniedException"))


def test_it_gives_up_after_half_an_hour(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(RuntimeError, match=r"^It is still being deleted$"):
        example("remove_workgroup").wait_until_gone(lambda: None)
    assert sum(waits) == 1800
