"""Say by which method a cluster can get other nodes, why, and what its users notice meanwhile."""

import argparse
import sys

RA3 = ["ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"]
TYPES = ["dc2.large", "dc2.8xlarge", *RA3, "rg.large", "rg.xlarge", "rg.4xlarge", "rg.12xlarge"]
# By how much an elastic resize may multiply and divide the nodes; of other types it is not known.
GROWTH = {"dc2.large": 2, "dc2.8xlarge": 2, "ra3.xlplus": 2, "ra3.4xlarge": 4, "ra3.16xlarge": 4}
SHRINKING = dict.fromkeys(RA3, 4)

ASK = "ask DescribeNodeConfigurationOptions, which decides: resize_cluster.py"
COPY = "snapshot and restore: the old cluster goes on; copy by hand what is written to it later"
SAME_TYPE = {"connections": "kept, some queries dropped", "writes": "paused for a few minutes"}
NEW_TYPE = {"connections": "dropped at the end", "writes": "refused meanwhile (read only)"}
CLASSIC = NEW_TYPE | {"time": "hours or more, by the amount of data", "or": COPY}
CLASSIC_TO_RA3 = {
    "connections": "dropped at the start (restart of a few minutes) and at the end",
    "writes": "go on after the restart",
    "needs": "data below 400 TB, a manual snapshot of the last 10 hours, a cluster in a VPC",
}
CLASSIC_TO_RG = CLASSIC | {"writes": "not published for RG: plan for read only"}


def check(node_type: str, nodes: int) -> None:
    """Raise ValueError for nodes that no cluster can have."""
    if node_type.startswith(("dc1.", "ds2.")):
        raise ValueError(f"{node_type} is gone, with all DC1 and DS2: take RG or RA3")
    if node_type not in TYPES:
        raise ValueError(f"{node_type} is not one of the node types {', '.join(TYPES)}")
    if not 1 <= nodes <= 100:
        raise ValueError(f"{nodes} nodes are none: a cluster has 1 to 100")


def find_obstacle(old: tuple[str, int], new: tuple[str, int], encryption: bool) -> str | None:
    """The rule by which an elastic resize is impossible; None if no published one forbids it."""
    (old_type, before), (new_type, after) = old, new
    # [start: rules]
    if encryption:
        return "only a classic resize changes the encryption"
    if 1 in (before, after):
        return "an elastic resize is never from or to a single node"
    if old_type == new_type and after > before * GROWTH.get(new_type, 100):
        return f"{new_type} grows at most {GROWTH[new_type]} times, to {before * GROWTH[new_type]}"
    if old_type == new_type and after * SHRINKING.get(new_type, 100) < before:
        return f"{new_type} shrinks to a quarter at least, to {-(-before // SHRINKING[new_type])}"
    # [end: rules]
    return None


def choose(old: tuple[str, int], new: tuple[str, int], encryption: bool) -> dict[str, str]:
    """Method, reason and effects. Raises ValueError for impossible nodes and for no change."""
    check(*old)
    check(*new)
    if new[0].startswith("dc2.") and old[0] != new[0]:
        raise ValueError("DC2 is deprecated, so that nobody should move to it: take RG or RA3")
    if old == new and not encryption:
        raise ValueError("nothing would change")
    obstacle = find_obstacle(old, new, encryption)
    if obstacle:
        family = new[0].partition(".")[0] if new[1] > 1 else "single node"
        effects = {"ra3": CLASSIC_TO_RA3, "rg": CLASSIC_TO_RG}.get(family, CLASSIC)
        return {"method": "classic resize", "why": obstacle} | effects
    if old[0] != new[0]:
        why = "another node type, no single node: a new cluster is made from a snapshot"
        return {"method": "elastic resize", "why": why} | NEW_TYPE | {"first": ASK}
    way, limits = ("grow", GROWTH) if new[1] > old[1] else ("shrink", SHRINKING)
    known = f"{new[0]} may {way} by a factor of up to {limits.get(new[0])}"
    why = known if new[0] in limits else f"how far {new[0]} may {way} is not published: AWS decides"
    return {"method": "elastic resize", "why": why} | SAME_TYPE | {"first": ASK}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for side in ("from", "to"):
        parser.add_argument(f"--{side}-type", required=True)
        parser.add_argument(f"--{side}-nodes", required=True, type=int)
    parser.add_argument("--change-encryption", action="store_true")
    given = parser.parse_args()
    old, new = (given.from_type, given.from_nodes), (given.to_type, given.to_nodes)
    try:
        answer = choose(old, new, given.change_encryption)
    except ValueError as error:
        sys.exit(f"{error}. Check --from-type, --from-nodes, --to-type and --to-nodes.")
    print(f"{old[0]} x {old[1]} -> {new[0]} x {new[1]}")
    for heading, text in answer.items():
        print(f"  {heading:11}  {text}")


if __name__ == "__main__":
    main()
