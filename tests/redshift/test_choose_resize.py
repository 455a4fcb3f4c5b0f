from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result

ELASTIC, CLASSIC = "elastic resize", "classic resize"
SINGLE = "an elastic resize is never from or to a single node"
TYPES = (
    "dc2.large, dc2.8xlarge, ra3.large, ra3.xlplus, ra3.4xlarge, ra3.16xlarge, "
    "rg.large, rg.xlarge, rg.4xlarge, rg.12xlarge"
)
Nodes = tuple[str, int]
Choose = Callable[..., dict[str, str]]


@pytest.fixture
def choose(example: Callable[[str], Any]) -> Choose:
    found: Choose = example("choose_resize").choose
    return found


@pytest.mark.parametrize(
    ("name", "before", "after", "why"),
    [
        ("ra3.xlplus", 2, 4, "ra3.xlplus may grow by a factor of up to 2"),
        ("ra3.xlplus", 8, 2, "ra3.xlplus may shrink by a factor of up to 4"),
        ("ra3.xlplus", 7, 2, "ra3.xlplus may shrink by a factor of up to 4"),
        ("ra3.4xlarge", 8, 32, "ra3.4xlarge may grow by a factor of up to 4"),
        ("ra3.4xlarge", 12, 3, "ra3.4xlarge may shrink by a factor of up to 4"),
        ("ra3.16xlarge", 2, 8, "ra3.16xlarge may grow by a factor of up to 4"),
        ("ra3.large", 8, 2, "ra3.large may shrink by a factor of up to 4"),
        ("ra3.large", 2, 9, "how far ra3.large may grow is not published: AWS decides"),
        ("dc2.8xlarge", 4, 8, "dc2.8xlarge may grow by a factor of up to 2"),
        ("dc2.large", 4, 2, "how far dc2.large may shrink is not published: AWS decides"),
        ("rg.xlarge", 2, 9, "how far rg.xlarge may grow is not published: AWS decides"),
        ("rg.4xlarge", 9, 2, "how far rg.4xlarge may shrink is not published: AWS decides"),
    ],
)
def test_within_the_limits_of_the_type(
    choose: Choose, name: str, before: int, after: int, why: str
) -> None:
    assert choose((name, before), (name, after), False) == {
        "method": ELASTIC,
        "why": why,
        "connections": "kept, some queries dropped",
        "writes": "paused for a few minutes",
        "first": "ask DescribeNodeConfigurationOptions, which decides: resize_cluster.py",
    }


@pytest.mark.parametrize(
    ("name", "before", "after", "why"),
    [
        ("ra3.xlplus", 2, 5, "ra3.xlplus grows at most 2 times, to 4"),
        ("ra3.xlplus", 9, 2, "ra3.xlplus shrinks to a quarter at least, to 3"),
        ("ra3.4xlarge", 8, 33, "ra3.4xlarge grows at most 4 times, to 32"),
        ("ra3.4xlarge", 12, 2, "ra3.4xlarge shrinks to a quarter at least, to 3"),
        ("ra3.16xlarge", 2, 9, "ra3.16xlarge grows at most 4 times, to 8"),
        ("ra3.large", 9, 2, "ra3.large shrinks to a quarter at least, to 3"),
        ("dc2.large", 4, 9, "dc2.large grows at most 2 times, to 8"),
    ],
)
def test_beyond_the_limits_of_the_type(
    choose: Choose, name: str, before: int, after: int, why: str
) -> None:
    answer = choose((name, before), (name, after), False)
    assert (answer["method"], answer["why"]) == (CLASSIC, why)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("ra3.xlplus", 1), ("ra3.xlplus", 2)),
        (("ra3.xlplus", 2), ("ra3.xlplus", 1)),
        (("dc2.large", 1), ("ra3.xlplus", 2)),
        (("rg.xlarge", 1), ("rg.4xlarge", 1)),
    ],
)
def test_a_single_node_is_never_resized_elastically(choose: Choose, old: Nodes, new: Nodes) -> None:
    answer = choose(old, new, False)
    assert (answer["method"], answer["why"]) == (CLASSIC, SINGLE)


def test_another_node_type_is_read_only_meanwhile(choose: Choose) -> None:
    for old, new in ((("dc2.large", 8), ("ra3.xlplus", 4)), (("ra3.xlplus", 2), ("rg.xlarge", 50))):
        answer = choose(old, new, False)
        assert answer["method"] == ELASTIC
        assert answer["why"].startswith("another node type, no single node: ")
        assert answer["connections"] == "dropped at the end"
        assert answer["writes"] == "refused meanwhile (read only)"
        assert "DescribeNodeConfigurationOptions" in answer["first"]


@pytest.mark.parametrize("after", [2, 4])
def test_only_classic_changes_the_encryption(choose: Choose, after: int) -> None:
    answer = choose(("ra3.xlplus", 2), ("ra3.xlplus", after), True)
    assert answer["method"] == CLASSIC
    assert answer["why"] == "only a classic resize changes the encryption"


def test_classic_to_several_ra3_nodes_has_conditions_and_lets_write(choose: Choose) -> None:
    answer = choose(("dc2.large", 1), ("ra3.xlplus", 2), False)
    assert answer["writes"] == "go on after the restart"
    assert answer["connections"].startswith("dropped at the start ")
    for condition in ("below 400 TB", "manual snapshot of the last 10 hours", "VPC"):
        assert condition in answer["needs"]
    assert "or" not in answer


@pytest.mark.parametrize(
    ("new", "writes"),
    [
        (("ra3.xlplus", 1), "refused meanwhile (read only)"),
        (("rg.xlarge", 1), "refused meanwhile (read only)"),
        (("rg.xlarge", 2), "not published for RG: plan for read only"),
    ],
)
def test_any_other_classic_resize_has_the_alternative_of_a_restored_snapshot(
    choose: Choose, new: Nodes, writes: str
) -> None:
    answer = choose(("rg.4xlarge", 1), new, False)
    assert (answer["method"], answer["writes"]) == (CLASSIC, writes)
    assert answer["or"].startswith("snapshot and restore: the old cluster goes on; ")
    assert "needs" not in answer


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (("ds2.xlarge", 2), ("ra3.xlplus", 2), "ds2.xlarge is gone, with all DC1 and DS2: "),
        (("ra3.xlplus", 2), ("dc1.large", 2), "dc1.large is gone, with all DC1 and DS2: "),
        (("ra3.big", 2), ("ra3.xlplus", 2), f"ra3.big is not one of the node types {TYPES}. "),
        (("ra3.xlplus", 0), ("ra3.xlplus", 2), "0 nodes are none: a cluster has 1 to 100. "),
        (("ra3.xlplus", 2), ("ra3.xlplus", -1), "-1 nodes are none: a cluster has 1 to 100. "),
        (("ra3.xlplus", 2), ("ra3.xlplus", 101), "101 nodes are none: a cluster has 1 to 100. "),
        (("ra3.xlplus", 2), ("dc2.large", 2), "DC2 is deprecated, so that nobody should move "),
        (("ra3.xlplus", 2), ("ra3.xlplus", 2), "nothing would change. "),
    ],
)
def test_nodes_that_cannot_be(
    run: Callable[..., Result], old: Nodes, new: Nodes, said: str
) -> None:
    nodes = ["--from-type", old[0], "--from-nodes", str(old[1])]
    nodes += ["--to-type", new[0], "--to-nodes", str(new[1])]
    result = run("choose_resize", *nodes)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(said)
    assert result.errors.endswith(". Check --from-type, --from-nodes, --to-type and --to-nodes.\n")


def test_what_it_prints(run: Callable[..., Result]) -> None:
    nodes = ["--from-type", "ra3.xlplus", "--from-nodes", "2"]
    nodes += ["--to-type", "ra3.xlplus", "--to-nodes", "2", "--change-encryption"]
    assert run("choose_resize", *nodes) == Result(
        0,
        "ra3.xlplus x 2 -> ra3.xlplus x 2\n"
        "  method       classic resize\n"
        "  why          only a classic resize changes the encryption\n"
        "  connections  dropped at the start (restart of a few minutes) and at the end\n"
        "  writes       go on after the restart\n"
        "  needs        data below 400 TB, a manual snapshot of the last 10 hours, "
        "a cluster in a VPC\n",
        "",
    )


def test_the_node_types_are_those_of_the_service(redshift: Any, choose: Choose) -> None:
    """The list of the API's model; DC2 is in it although it is deprecated."""
    operation = redshift.meta.service_model.operation_model("CreateCluster")
    said = operation.input_shape.members["NodeType"].documentation
    assert [name for name in TYPES.split(", ") if f"<code>{name}</code>" not in said] == []
    assert said.count("<code>") == len(TYPES.split(", "))
