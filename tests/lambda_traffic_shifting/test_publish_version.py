from collections.abc import Callable
from typing import Any

from awslab.run import Result

Run = Callable[..., Result]


def test_a_version_more_and_the_alias_as_it_was(
    create: Run, publish: Run, client: Callable[..., Any], answers: Callable[[str], Any]
) -> None:
    create()
    result = publish("1,1,1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "shop-score  version 2 published, no alias moved\n"
    assert answers("live") == answers("1") == {"version": "1", "score": 0.587}
    assert answers("2") == {"version": "2", "score": 0.971}
    alias = client("lambda").get_alias(FunctionName="shop-score", Name="live")
    assert alias["FunctionVersion"] == "1"


def test_a_function_that_is_missing(publish: Run) -> None:
    result = publish("1")
    assert (result.status, result.output) == (1, "")
    assert "(ResourceNotFoundException)" in result.errors
    assert result.errors.endswith(
        ". $LATEST of shop-score may be changed; no alias was moved. "
        "Check --function, AWS_DEFAULT_REGION and credentials, and run it again.\n"
    )
