"""The IAM policy language: does a set of policies allow, deny or say nothing about a request?

Covers what the pages use: Effect, Principal, Action, Resource and their Not forms, and the
condition operators for strings, ARNs, booleans, numbers, addresses and null, with `IfExists`.
Policy variables and set operators (`ForAllValues`, `ForAnyValue`) are refused, not ignored.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Context = Mapping[str, str]
Policy = Mapping[str, Any]


class Unsupported(Exception):
    """A policy element that this evaluator does not know; guessing would prove nothing."""


class Malformed(Exception):
    """A text that is no policy document; the message says why."""


def parsed(text: str, *, names_principals: bool) -> Policy:
    """A policy document from its JSON text, of a form that `verdict` can judge.

    names_principals: whether it belongs to a resource, and so must say whom it lets in.

    Raises:
        Malformed: it has another form.
    """
    try:
        policy = json.loads(text)
    except ValueError:
        raise Malformed("The policy is not in the valid JSON format.") from None
    statements = as_list(policy.get("Statement", [])) if isinstance(policy, dict) else []
    if not statements or not all(isinstance(statement, dict) for statement in statements):
        raise Malformed("The policy must contain at least one statement.")
    for statement in statements:
        check_statement(statement, names_principals)
    return dict(policy)


def check_statement(statement: Policy, names_principals: bool) -> None:
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise Malformed("The Effect of a statement must be Allow or Deny.")
    for element in ("Action", "Resource"):
        given = [name for name in (element, f"Not{element}") if name in statement]
        if len(given) != 1 or not are_texts(statement[given[0]]):
            raise Malformed(f"A statement must contain one {element} element, of texts.")
    principal = statement.get("Principal")
    if names_principals and "NotPrincipal" not in statement:
        whole = (
            isinstance(principal, dict) and principal and all(map(are_texts, principal.values()))
        )
        if principal != "*" and not whole:
            raise Malformed("A statement must contain a Principal element.")
    elif principal is not None and not names_principals:
        raise Malformed("The policy of an identity must not contain a Principal element.")
    conditions = statement.get("Condition", {})
    operators = conditions.values() if isinstance(conditions, dict) else [None]
    keys = [keys.values() if isinstance(keys, dict) else [None] for keys in operators]
    if not all(as_list(values) and None not in as_list(values) for key in keys for values in key):
        raise Malformed("The Condition of a statement must hold operators, keys and values.")


def are_texts(value: Any) -> bool:
    texts = as_list(value)
    return bool(texts) and all(isinstance(text, str) for text in texts)


def verdict(
    policy: Policy, action: str, resource: str, principals: list[str], context: Context
) -> str:
    """What one policy says of one request: "deny", "allow" or "silent".

    Args:
        policy: a policy document.
        action: for example `s3:GetObject`.
        resource: the ARN, or `*` for actions without resources.
        principals: the ARNs under which the caller is known (role and session, or user), or the
            name of a service.
        context: condition keys and their values; keys are compared without case.

    Raises:
        Unsupported: the policy holds an element that is not covered here.
    """
    lowered = {key.lower(): value for key, value in context.items()}
    said = "silent"
    for statement in as_list(policy["Statement"]):
        if not (
            names_principal(statement, principals)
            and names(statement, "Action", action.lower(), str.lower)
            and names(statement, "Resource", resource, str)
            and conditions_hold(statement.get("Condition", {}), lowered)
        ):
            continue
        if statement["Effect"] == "Deny":
            return "deny"
        said = "allow"
    return said


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def pattern(text: str) -> re.Pattern[str]:
    """`*` and `?` are the only wildcards of IAM; brackets are ordinary characters."""
    if "${" in text:
        raise Unsupported(f"policy variable in {text}")
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def like(wanted: str, got: str) -> bool:
    return pattern(wanted).fullmatch(got) is not None


def arn_like(wanted: str, got: str) -> bool:
    """Part by part: a wildcard does not reach over one of the first five colons of an ARN."""
    patterns, parts = wanted.split(":", 5), got.split(":", 5)
    return len(patterns) == len(parts) and all(map(like, patterns, parts))


def names(statement: Policy, element: str, got: str, fold: Callable[[str], str]) -> bool:
    if element in statement:
        return any(like(fold(wanted), got) for wanted in as_list(statement[element]))
    if f"Not{element}" in statement:
        return not any(like(fold(wanted), got) for wanted in as_list(statement[f"Not{element}"]))
    return True


def names_principal(statement: Policy, principals: list[str]) -> bool:
    if "NotPrincipal" in statement:
        raise Unsupported("NotPrincipal; use a Condition on aws:PrincipalArn")
    principal = statement.get("Principal", "*")
    if principal == "*":
        return True
    wanted = as_list(principal.get("AWS", [])) + as_list(principal.get("Service", []))
    accounts = {arn.split(":")[4] for arn in principals if arn.startswith("arn:")}
    return any(
        name == "*"
        or name in principals
        or name in accounts
        or name in {f"arn:aws:iam::{account}:root" for account in accounts}
        for name in wanted
    )


def conditions_hold(conditions: Mapping[str, Any], context: Context) -> bool:
    """All operators and all keys must hold; of several values one is enough (none, if negated)."""
    return all(
        operator_holds(operator, as_list(values), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def operator_holds(operator: str, wanted: list[Any], got: str | None) -> bool:
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in wanted]
    if operator == "Null":
        return (got is None) == (texts[0] == "true")
    base, if_exists = re.subn("IfExists$", "", operator)
    if any("${" in text for text in texts):
        raise Unsupported(f"policy variable in {texts}")
    negated = base in NEGATED
    compare = COMPARISONS.get(base.replace("Not", "") if negated else base)
    if compare is None:
        raise Unsupported(f"condition operator {operator}")
    if got is None:
        # A missing key satisfies a negated operator, and every ...IfExists.
        return negated or bool(if_exists)
    matched = any(compare(text, got) for text in texts)
    return matched != negated


NEGATED = {
    "ArnNotEquals",
    "ArnNotLike",
    "NotIpAddress",
    "NumericNotEquals",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
}
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, got: wanted == got,
    "StringEqualsIgnoreCase": lambda wanted, got: wanted.lower() == got.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda wanted, got: wanted.lower() == got.lower(),
    "NumericEquals": lambda wanted, got: float(got) == float(wanted),
    "NumericLessThan": lambda wanted, got: float(got) < float(wanted),
    "NumericLessThanEquals": lambda wanted, got: float(got) <= float(wanted),
    "NumericGreaterThan": lambda wanted, got: float(got) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, got: float(got) >= float(wanted),
    "IpAddress": lambda wanted, got: (
        ipaddress.ip_address(got) in ipaddress.ip_network(wanted, strict=False)
    ),
}
