"""The smallest IAM policy of a run, and the gate that proves it sufficient and minimal."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from awslab.masking import VOLATILE
from awslab.policy import Policy, verdict
from awslab.services.identity import USER

from proofs.trace import Answer, Call, Trace, refusal

# What a service answers to a caller without permission.
DENIALS = {"ec2": ("UnauthorizedOperation", 403), "s3": ("AccessDenied", 403)}


def derive(calls: list[Call], known: str, hide: Callable[[str], str]) -> dict[str, Any]:
    """One statement per set of resources, actions and ARNs sorted.

    Args:
        calls: the recorded calls.
        known: the command lines; an id that is not in them did not exist before the run, so the
            policy says `*` in its place.
        hide: replaces ids by their stable names.
    """
    arns_of: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        for action, arn in call.needs:
            scoped = VOLATILE.sub(lambda m: m[0] if m[0] in known else "*", arn)
            arns_of[action].add(hide(scoped))
    actions_of: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, arns in sorted(arns_of.items()):
        actions_of[tuple(sorted(arns))].append(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": list(arns)}
            for arns, actions in actions_of.items()
        ],
    }


def actions_in(policy: Policy) -> list[str]:
    return [action for statement in policy["Statement"] for action in statement["Action"]]


def without(policy: Policy, action: str) -> Policy:
    """The policy with one action taken out."""
    statements = [
        statement | {"Action": [name for name in statement["Action"] if name != action]}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": [s for s in statements if s["Action"]]}


def denied(call: Call, action: str, arn: str) -> Answer:
    code, status = DENIALS.get(call.service, ("AccessDeniedException", 403))
    return refusal(code, f"User: {USER} is not authorized to perform: {action} on {arn}.", status)


def only_with(policy: Policy) -> Callable[[Trace, Call], Answer | None]:
    """Refuse every call that the policy does not allow, as IAM would."""

    def refuse(trace: Trace, call: Call) -> Answer | None:
        for action, arn in call.needs:
            if verdict(policy, action, arn, [USER], {}) != "allow":
                return denied(call, action, arn)
        return None

    return refuse
