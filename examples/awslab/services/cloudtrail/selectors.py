"""Event selectors: the rules that CloudTrail sets them, and which events they let through."""

import re
from collections.abc import Callable
from typing import Any, NoReturn

from awslab.cloudtrail_events import DATA, MANAGEMENT, NETWORK, Event
from awslab.services.cloudtrail.errors import refuse

Selector = dict[str, Any]

MOST_SELECTORS = 5
MOST_DATA_RESOURCES = 250
MOST_VALUES = 500
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
# The types that basic selectors cover, and the ARNs or beginnings of ARNs that name them.
DATA_RESOURCES = {
    "AWS::DynamoDB::Table": r"arn:aws[\w-]*:dynamodb(:[\w-]+:\d{12}:table/[^*]+)?",
    "AWS::Lambda::Function": r"arn:aws[\w-]*:lambda(:[\w-]+:\d{12}:function:[^*]+)?",
    "AWS::S3::Object": r"arn:aws[\w-]*:s3(:::([a-z0-9][a-z0-9.-]{2,62}/[^*]*)?)?",
}
# By category: the fields that a selector of a trail may ask for, and those that it must.
FIELDS = {
    MANAGEMENT: ({"eventCategory", "eventSource", "readOnly"}, set[str]()),
    DATA: (
        {
            "eventCategory",
            "eventName",
            "eventSource",
            "eventType",
            "readOnly",
            "resources.ARN",
            "resources.type",
            "sessionCredentialFromConsole",
            "userIdentity.arn",
        },
        {"resources.type"},
    ),
    NETWORK: (
        {"errorCode", "eventCategory", "eventName", "eventSource", "vpcEndpointId"},
        {"eventSource"},
    ),
}
EQUALS_ONLY = {"eventCategory", "readOnly", "resources.type"}
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
DEFAULT: list[Selector] = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
]


def invalid(message: str) -> NoReturn:
    refuse("InvalidEventSelectorsException", message)


def completed(selectors: list[Selector]) -> list[Selector]:
    """Basic selectors with all their defaults."""
    return [DEFAULT[0] | selector for selector in selectors]


def check_basic(selectors: list[Selector]) -> None:
    if len(selectors) > MOST_SELECTORS:
        invalid(f"A trail can have at most {MOST_SELECTORS} event selectors.")
    resources = [resource for s in selectors for resource in s.get("DataResources") or []]
    if sum(len(resource.get("Values") or []) for resource in resources) > MOST_DATA_RESOURCES:
        invalid(f"A trail can have at most {MOST_DATA_RESOURCES} data resources.")
    for resource in resources:
        pattern = DATA_RESOURCES.get(resource.get("Type", ""))
        if pattern is None:
            invalid(
                f"Value {resource.get('Type')} for DataResources.Type is invalid. "
                f"Valid values are: {', '.join(DATA_RESOURCES)}"
            )
        for value in resource.get("Values") or []:
            if not re.fullmatch(pattern, value):
                invalid(f"Value {value} for DataResources.Values is invalid.")
    for selector in selectors:
        for excluded in selector.get("ExcludeManagementEventSources") or []:
            if excluded not in EXCLUDABLE:
                invalid(
                    f"Value {excluded} for ExcludeManagementEventSources is invalid. "
                    f"Valid values are: {', '.join(EXCLUDABLE)}"
                )


def check_advanced(selectors: list[Selector]) -> None:
    values = [
        value
        for selector in selectors
        for condition in selector["FieldSelectors"]
        for operator, wanted in condition.items()
        if operator != "Field"
        for value in wanted or []
    ]
    if len(values) > MOST_VALUES:
        invalid(f"The advanced event selectors of a trail can have at most {MOST_VALUES} values.")
    for selector in selectors:
        check_conditions(selector["FieldSelectors"])


def check_conditions(conditions: list[Selector]) -> None:
    fields = [condition["Field"] for condition in conditions]
    for condition in conditions:
        if len(condition) < 2:
            invalid(f"The field {condition['Field']} must have at least one operator.")
        if condition["Field"] in EQUALS_ONLY and set(condition) != {"Field", "Equals"}:
            invalid(f"The field {condition['Field']} can only have the operator Equals.")
    categories = [c["Equals"] for c in conditions if c["Field"] == "eventCategory"]
    if len(categories) != 1 or len(categories[0]) != 1 or categories[0][0] not in FIELDS:
        invalid(
            "Each advanced event selector must have exactly one eventCategory, "
            f"which equals one of: {', '.join(FIELDS)}"
        )
    category = categories[0][0]
    allowed, required = FIELDS[category]
    for field in fields:
        if field not in allowed:
            invalid(f"The field {field} is not valid for events of the category {category}.")
        if fields.count(field) > 1:
            invalid(f"The field {field} appears more than once in an advanced event selector.")
    for field in sorted(required - set(fields)):
        invalid(f"Events of the category {category} need the field {field}.")
    for condition in conditions:
        check_values(category, condition)


def check_values(category: str, condition: Selector) -> None:
    field = condition["Field"]
    if field == "readOnly" and not set(condition["Equals"]) <= {"true", "false"}:
        invalid("The field readOnly can only equal true or false.")
    if field == "resources.type" and len(condition["Equals"]) != 1:
        invalid("An advanced event selector can have only one resources.type.")
    if category == MANAGEMENT and field == "eventSource":
        excluded = condition.get("NotEquals") or []
        if set(condition) != {"Field", "NotEquals"} or not set(excluded) <= set(EXCLUDABLE):
            invalid(
                "The eventSource of management events can only be not equal to: "
                f"{', '.join(EXCLUDABLE)}"
            )


# --- Which events they let through ---


def categories(basic: list[Selector], advanced: list[Selector]) -> set[str]:
    """The categories of events that can pass at all."""
    if advanced:
        return {
            condition["Equals"][0]
            for selector in advanced
            for condition in selector["FieldSelectors"]
            if condition["Field"] == "eventCategory"
        }
    found = set()
    for selector in basic or DEFAULT:
        if selector.get("IncludeManagementEvents", True):
            found.add(MANAGEMENT)
        if selector.get("DataResources"):
            found.add(DATA)
    return found


def let_through(event: Event, basic: list[Selector], advanced: list[Selector]) -> bool:
    if advanced:
        return any(meets_advanced(event, selector["FieldSelectors"]) for selector in advanced)
    return any(meets_basic(event, selector) for selector in basic or DEFAULT)


def meets_basic(event: Event, selector: Selector) -> bool:
    only = selector.get("ReadWriteType", "All")
    if only != "All" and (only == "ReadOnly") != event.kind.read_only:
        return False
    if event.category == MANAGEMENT:
        excluded = selector.get("ExcludeManagementEventSources") or []
        return selector.get("IncludeManagementEvents", True) and event.kind.source not in excluded
    return event.category == DATA and any(
        arn.startswith(value)
        for resource in selector.get("DataResources") or []
        if resource["Type"] == event.kind.resource_type
        for value in resource.get("Values") or []
        for arn in arns_of(event)
    )


def arns_of(event: Event) -> list[str]:
    """Of the resources that the data event is about; of a listing, what all their ARNs share."""
    return [
        resource.get("ARN") or resource["ARNPrefix"]
        for resource in event.record.get("resources", ())
        if resource["type"] == event.kind.resource_type
    ]


def meets_advanced(event: Event, conditions: list[Selector]) -> bool:
    """All conditions must hold; the cheap ones, which need no record, are asked first."""
    asked = sorted(conditions, key=lambda condition: condition["Field"] not in CHEAP)
    return all(holds(values_of(event, condition["Field"]), condition) for condition in asked)


CHEAP: dict[str, Callable[[Event], str]] = {
    "eventCategory": lambda event: event.category,
    "eventName": lambda event: event.kind.name,
    "eventSource": lambda event: event.kind.source,
    "readOnly": lambda event: str(event.kind.read_only).lower(),
    "resources.type": lambda event: event.kind.resource_type,
    "userIdentity.arn": lambda event: str(event.identity.get("arn", "")),
    "vpcEndpointId": lambda event: event.endpoint,
}


def values_of(event: Event, field: str) -> list[str]:
    if field in CHEAP:
        return [CHEAP[field](event)]
    if field == "resources.ARN":
        return arns_of(event)
    return [str(event.record.get(field, ""))]


def holds(values: list[str], condition: Selector) -> bool:
    """Operators of one field: one match of those that ask for it, and none of the negated ones."""
    asked, refused = [], []
    for name, matches in OPERATORS.items():
        asked += [matches(v, wanted) for wanted in condition.get(name) or [] for v in values]
        refused += [matches(v, w) for w in condition.get(f"Not{name}") or [] for v in values]
    wants = any(condition.get(name) for name in OPERATORS)
    return not any(refused) and (any(asked) or not wants)
