"""The evaluator of policies against the documented semantics of IAM."""

from typing import Any

import pytest
from awslab.policy import Unsupported, verdict

OBJECT = "arn:aws:s3:::amzn-s3-demo-bucket/data/train.csv"
USER = "arn:aws:iam::111122223333:user/lab"
ROLE = "arn:aws:iam::111122223333:role/reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/reader/job-1"
CONTEXT = {
    "aws:SourceVpce": "vpce-0a",
    "aws:SourceVpc": "vpc-0b",
    "aws:PrincipalArn": ROLE,
    "aws:SecureTransport": "true",
    "aws:SourceIp": "192.0.2.1",
    "aws:UserAgent": "Boto3/1.44 app/vpce-0a",
    "s3:max-keys": "10",
}


def say(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = OBJECT,
    principals: tuple[str, ...] = (ROLE, SESSION),
) -> str:
    """The verdict about a role session that reads an object; statements allow it, unless told."""
    basis = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    policy = {"Statement": [basis | statement for statement in statements]}
    return verdict(policy, action, resource, list(principals), CONTEXT)


def without(*elements: str, **statement: Any) -> str:
    """The verdict of one Allow statement that lacks elements."""
    basis = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **statement}
    kept = {key: value for key, value in basis.items() if key not in elements}
    return verdict({"Statement": [kept]}, "s3:GetObject", OBJECT, [ROLE, SESSION], CONTEXT)


# --- action --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("s3:GetObject", "allow"),
        ("S3:getobject", "allow"),
        ("s3:Get*", "allow"),
        ("s3:Get?bject", "allow"),
        ("s3:*Object", "allow"),
        ("*", "allow"),
        (["s3:PutObject", "s3:GetObject"], "allow"),
        ("s3:GetObjectAcl", "silent"),
        ("s3:GetObjec", "silent"),
        ("s3:GetObject?", "silent"),
        ("s3:[G]etObject", "silent"),
        ("s3.GetObject", "silent"),
        ("ec2:*", "silent"),
        (["s3:PutObject", "s3:DeleteObject"], "silent"),
        ([], "silent"),
    ],
)
def test_action(wanted: str | list[str], said: str) -> None:
    assert say({"Action": wanted}) == said


@pytest.mark.parametrize(
    ("unwanted", "said"),
    [
        ("s3:PutObject", "allow"),
        (["s3:Put*", "ec2:*"], "allow"),
        ("s3:get*", "silent"),
        (["s3:PutObject", "s3:GetObject"], "silent"),
        ("*", "silent"),
    ],
)
def test_not_action(unwanted: str | list[str], said: str) -> None:
    assert without("Action", NotAction=unwanted) == said


# --- resource ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (OBJECT, "allow"),
        ("*", "allow"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*", "allow"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/train.csv", "allow"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/data/train.???", "allow"),
        ("arn:aws:s3:::*", "allow"),
        (["arn:aws:s3:::other/*", "arn:aws:s3:::amzn-s3-demo-bucket/*"], "allow"),
        ("arn:aws:s3:::amzn-s3-demo-bucket", "silent"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/data", "silent"),
        ("arn:aws:s3:::AMZN-S3-DEMO-BUCKET/*", "silent"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/data/train.??", "silent"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/data/[t]rain.csv", "silent"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/data/train+csv", "silent"),
    ],
)
def test_resource(wanted: str | list[str], said: str) -> None:
    assert say({"Resource": wanted}) == said


def test_a_wildcard_matches_every_character() -> None:
    allowed = {"Resource": "arn:aws:s3:::amzn-s3-demo-bucket/a?c*"}
    strange = "arn:aws:s3:::amzn-s3-demo-bucket/a\nc d/[x]:\né"
    assert say(allowed, resource=strange) == "allow"


def test_brackets_in_a_name_are_ordinary_characters() -> None:
    name = "arn:aws:s3:::amzn-s3-demo-bucket/[a-z].(csv)"
    assert say({"Resource": name}, resource=name) == "allow"


@pytest.mark.parametrize(
    ("unwanted", "said"),
    [
        ("arn:aws:s3:::other/*", "allow"),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*", "silent"),
        (["arn:aws:s3:::other/*", OBJECT], "silent"),
    ],
)
def test_not_resource(unwanted: str | list[str], said: str) -> None:
    assert without("Resource", NotResource=unwanted) == said


def test_a_statement_without_resource_speaks_of_every_resource() -> None:
    assert without("Resource") == "allow"


# --- principal -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        ("*", "allow"),
        ({"AWS": "*"}, "allow"),
        ({"AWS": "111122223333"}, "allow"),
        ({"AWS": "arn:aws:iam::111122223333:root"}, "allow"),
        ({"AWS": ROLE}, "allow"),
        ({"AWS": SESSION}, "allow"),
        ({"AWS": ["444455556666", ROLE]}, "allow"),
        ({"Service": "s3.amazonaws.com", "AWS": ROLE}, "allow"),
        ({"AWS": "444455556666"}, "silent"),
        ({"AWS": "arn:aws:iam::444455556666:root"}, "silent"),
        ({"AWS": USER}, "silent"),
        ({"AWS": "arn:aws:iam::111122223333:role/READER"}, "silent"),
        ({"AWS": "arn:aws:iam::111122223333:role/*"}, "silent"),
        ({"AWS": "arn:aws:sts::111122223333:assumed-role/reader/job-2"}, "silent"),
        ({"AWS": []}, "silent"),
        ({"Service": "s3.amazonaws.com"}, "silent"),
    ],
)
def test_principal(principal: str | dict[str, Any], said: str) -> None:
    assert say({"Principal": principal}) == said


def test_a_policy_without_principal_is_about_whoever_has_it() -> None:
    assert without("Principal") == "allow"


def test_a_user_is_named_by_arn_and_account() -> None:
    assert say({"Principal": {"AWS": USER}}, principals=(USER,)) == "allow"
    assert say({"Principal": {"AWS": "111122223333"}}, principals=(USER,)) == "allow"
    assert say({"Principal": {"AWS": ROLE}}, principals=(USER,)) == "silent"


# --- conditions ----------------------------------------------------------------------------------

HOLDS = [
    {"StringEquals": {"aws:SourceVpce": "vpce-0a"}},
    {"StringEquals": {"aws:SourceVpce": ["vpce-0z", "vpce-0a"]}},
    {"StringEquals": {"AWS:sourcevpce": "vpce-0a"}},
    {"StringEquals": {"s3:max-keys": 10}},
    {"StringNotEquals": {"aws:SourceVpce": "VPCE-0A"}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-0y", "vpce-0z"]}},
    {"StringNotEquals": {"aws:Absent": "x"}},
    {"StringEqualsIgnoreCase": {"aws:SourceVpce": "VPCE-0A"}},
    {"StringNotEqualsIgnoreCase": {"aws:SourceVpce": "vpce-0b"}},
    {"StringLike": {"aws:UserAgent": "*app/vpce-??"}},
    {"StringNotLike": {"aws:UserAgent": "*app/vpce-?"}},
    {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::11112222????:role/read*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": USER}},
    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}},
    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam:*:role/reader"}},
    {"ArnNotEquals": {"aws:Absent": ROLE}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "True"}},
    {"Bool": {"aws:SecureTransport": True}},
    {"BoolIfExists": {"aws:Absent": "true"}},
    {"NumericEquals": {"s3:max-keys": "10"}},
    {"NumericEquals": {"s3:max-keys": "10.0"}},
    {"NumericNotEquals": {"s3:max-keys": 9}},
    {"NumericLessThan": {"s3:max-keys": "10.5"}},
    {"NumericLessThanEquals": {"s3:max-keys": 10}},
    {"NumericGreaterThan": {"s3:max-keys": "9"}},
    {"NumericGreaterThanEquals": {"s3:max-keys": "10"}},
    {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"IpAddress": {"aws:SourceIp": "192.0.2.1"}},
    {"IpAddress": {"aws:SourceIp": ["2001:db8::/32", "192.0.2.99/24"]}},
    {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]}},
    {"NotIpAddress": {"aws:Absent": "192.0.2.0/24"}},
    {"Null": {"aws:Absent": "true"}},
    {"Null": {"aws:SourceVpce": "false"}},
    {"Null": {"aws:SourceVpce": False}},
    {"StringEqualsIfExists": {"aws:Absent": "x"}},
    {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0a"}},
    {"StringNotEqualsIfExists": {"aws:Absent": "x"}},
    {"ArnLikeIfExists": {"aws:Absent": ROLE}},
    {"IpAddressIfExists": {"aws:VpcSourceIp": "10.0.0.0/16"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-0a", "aws:SourceVpc": "vpc-0b"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-0a"}, "Bool": {"aws:SecureTransport": "true"}},
    {},
]
FAILS = [
    {"StringEquals": {"aws:SourceVpce": "VPCE-0A"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-*"}},
    {"StringEquals": {"aws:SourceVpce": ["vpce-0y", "vpce-0z"]}},
    {"StringEquals": {"aws:SourceVpce": []}},
    {"StringEquals": {"aws:Absent": "x"}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-0a"}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-0z", "vpce-0a"]}},
    {"StringEqualsIgnoreCase": {"aws:SourceVpce": "vpce-0b"}},
    {"StringNotEqualsIgnoreCase": {"aws:SourceVpce": "VPCE-0A"}},
    {"StringLike": {"aws:UserAgent": "app/vpce-0a"}},
    {"StringLike": {"aws:UserAgent": "boto3/*"}},
    {"StringLike": {"aws:SourceVpce": "vpce-[0]a"}},
    {"StringNotLike": {"aws:UserAgent": ["x", "Boto3/*"]}},
    {"ArnEquals": {"aws:PrincipalArn": USER}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*:role/reader"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam*"}},
    {"ArnLike": {"aws:Absent": "arn:aws:iam::*:role/*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": ROLE}},
    {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"]}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:SecureTransport": False}},
    {"Bool": {"aws:Absent": "false"}},
    {"BoolIfExists": {"aws:SecureTransport": "false"}},
    {"NumericEquals": {"s3:max-keys": "1"}},
    {"NumericNotEquals": {"s3:max-keys": 10}},
    {"NumericLessThan": {"s3:max-keys": 10}},
    {"NumericLessThanEquals": {"s3:max-keys": "9.99"}},
    {"NumericGreaterThan": {"s3:max-keys": "10"}},
    {"NumericGreaterThanEquals": {"s3:max-keys": 11}},
    {"NumericEquals": {"aws:Absent": 0}},
    {"IpAddress": {"aws:SourceIp": "192.0.3.0/24"}},
    {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}},
    {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"IpAddress": {"aws:Absent": "0.0.0.0/0"}},
    {"Null": {"aws:Absent": "false"}},
    {"Null": {"aws:SourceVpce": "true"}},
    {"Null": {"aws:SourceVpce": True}},
    {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0b"}},
    {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-0a"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-0a", "aws:SourceVpc": "vpc-0z"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-0a"}, "Bool": {"aws:SecureTransport": "false"}},
]


@pytest.mark.parametrize("condition", HOLDS, ids=str)
def test_a_condition_that_holds(condition: dict[str, Any]) -> None:
    assert say({"Condition": condition}) == "allow"


@pytest.mark.parametrize("condition", FAILS, ids=str)
def test_a_condition_that_fails(condition: dict[str, Any]) -> None:
    assert say({"Condition": condition}) == "silent"


def test_keys_of_the_request_are_compared_without_case() -> None:
    policy = {
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:sourcevpce": "vpce-0a"}},
        }
    }
    assert verdict(policy, "s3:GetObject", OBJECT, [USER], {"AWS:SourceVpce": "vpce-0a"}) == "allow"


# --- several statements --------------------------------------------------------------------------

DENY = {"Effect": "Deny"}
ELSEWHERE = {"Resource": "arn:aws:s3:::other/*"}


def test_a_policy_without_statements_is_silent() -> None:
    assert say() == "silent"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ([{}], "allow"),
        ([DENY], "deny"),
        ([{}, DENY], "deny"),
        ([DENY, {}], "deny"),
        ([{}, DENY | ELSEWHERE], "allow"),
        ([DENY | ELSEWHERE], "silent"),
        ([ELSEWHERE, {}], "allow"),
        ([ELSEWHERE, ELSEWHERE], "silent"),
        ([{}, DENY | {"Condition": {"Null": {"aws:SourceVpce": "true"}}}], "allow"),
        ([{}, DENY | {"Condition": {"Null": {"aws:SourceVpce": "false"}}}], "deny"),
        ([{}, DENY | {"Principal": {"AWS": USER}}], "allow"),
        ([{}, DENY | {"Principal": {"AWS": SESSION}}], "deny"),
        ([{}, DENY | {"Action": "s3:Put*"}], "allow"),
    ],
)
def test_deny_wins(statements: list[dict[str, Any]], said: str) -> None:
    assert say(*statements) == said


def test_one_statement_need_not_be_a_list() -> None:
    policy = {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
    assert verdict(policy, "s3:GetObject", OBJECT, [USER], {}) == "deny"


# --- what is not covered is refused --------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({"Condition": {"StringEquals": {"aws:SourceVpce": "${aws:SourceVpc}"}}}, "variable"),
        ({"Condition": {"StringLike": {"aws:SourceVpce": "${aws:username}*"}}}, "variable"),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:${x}"}}}, "variable"),
        ({"Resource": "arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*"}, "variable"),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}}, "ForAllValues"),
        ({"Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": "a"}}}, "ForAnyValue"),
        ({"Condition": {"DateLessThan": {"aws:CurrentTime": "2030"}}}, "DateLessThan"),
        ({"Condition": {"BinaryEquals": {"key": "QmluYXJ5"}}}, "BinaryEquals"),
        ({"Condition": {"StringEqual": {"aws:SourceVpce": "vpce-0a"}}}, "StringEqual"),
        ({"Condition": {"stringequals": {"aws:SourceVpce": "vpce-0a"}}}, "stringequals"),
        ({"Condition": {"NotBool": {"aws:SecureTransport": "true"}}}, "NotBool"),
        ({"Condition": {"NullIfExists": {"aws:SourceVpce": "true"}}}, "NullIfExists"),
        ({"NotPrincipal": {"AWS": ROLE}}, "NotPrincipal"),
    ],
    ids=str,
)
def test_what_is_not_covered_is_refused(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        say(statement)
