"""The operations on trails and their selectors."""

import copy
import threading
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult, EmptyResult

from awslab.clock import CLOCK, now
from awslab.cloudtrail_events import utc
from awslab.extension import Function, changes
from awslab.services.cloudtrail import delivery, digests, selectors
from awslab.services.cloudtrail.errors import refuse
from awslab.services.cloudtrail.trail import Delivery, LabTrail, find, find_at_home, trails_in

MOST_TRAILS = 5  # in a Region, multi-Region trails of others included
MOST_TAGS = 50
NOT_RECORDED = "files that CloudTrail delivers make no events, whatever `RecursiveLogging` says"

creating = threading.Lock()


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "CreateTrail",
    reason=(
        "accepts a bucket whose policy does not let CloudTrail write; overwrites a trail of the "
        "same name; counts no trails; looks for no KMS key; looks for no log group; takes the ARN "
        "of a topic for its name; drops `RecursiveLogging`"
    ),
    differs=(
        f"{NOT_RECORDED}; of the role for CloudWatch Logs only the trust policy is checked; "
        "member accounts do not see an organization trail"
    ),
)
def create_trail(original: Function, self: Any) -> ActionResult:
    params, backend = self.params, self.cloudtrail_backend
    trail = LabTrail(self.current_account, self.region, params)
    if len(params.get("TagsList") or []) > MOST_TAGS:
        refuse(
            "TagsLimitExceededException",
            f"The number of tags per trail has exceeded the limit of {MOST_TAGS}.",
        )
    account, region = trail.place
    trail.check()
    with creating:
        if trail.trail_name in backend.trails:
            refuse(
                "TrailAlreadyExistsException",
                f"Trail {trail.trail_name} already exists for customer: {account}",
            )
        if len(list(trails_in(account, region, shadows=True))) >= MOST_TRAILS:
            refuse(
                "MaximumNumberOfTrailsExceededException",
                f"User: {account} already has {MOST_TRAILS} trails in {region}.",
            )
        backend.trails[trail.trail_name] = trail
    backend.tagging_service.tag_resource(trail.arn, params.get("TagsList") or [])
    return ActionResult(trail.answer())


# Members of UpdateTrail and the attributes of moto's trail.
CHANGEABLE = {
    "S3BucketName": "bucket_name",
    "S3KeyPrefix": "s3_key_prefix",
    "SnsTopicName": "sns_topic_name",
    "IncludeGlobalServiceEvents": "include_global_service_events",
    "IsMultiRegionTrail": "is_multi_region",
    "EnableLogFileValidation": "log_validation",
    "CloudWatchLogsLogGroupArn": "cw_log_group_arn",
    "CloudWatchLogsRoleArn": "cw_role_arn",
    "KmsKeyId": "kms_key_id",
    "IsOrganizationTrail": "is_org_trail",
    "RecursiveLogging": "recursive_logging",
}


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "UpdateTrail",
    reason="checks nothing; drops `RecursiveLogging`",
    differs=NOT_RECORDED,
)
def update_trail(original: Function, self: Any) -> ActionResult:
    trail = find_at_home(self.cloudtrail_backend, self.params["Name"])
    changed = copy.copy(trail)
    for member, attribute in CHANGEABLE.items():
        if self.params.get(member) is not None:
            setattr(changed, attribute, self.params[member])
    changed.check()
    delivery.deliver()
    if trail.log_validation and not changed.log_validation:
        digests.end(trail)
    validated = trail.log_validation
    trail.take_over(changed)
    if trail.log_validation and not validated:
        digests.begin(trail)
    return ActionResult(trail.answer())


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "GetTrail",
    reason="does not find a multi-Region trail in another Region; leaves out `HomeRegion`",
    differs="",
)
def get_trail(original: Function, self: Any) -> ActionResult:
    name = self.params["Name"]
    trail = find(self.current_account, self.region, name, name_in_error=True)
    return ActionResult({"Trail": trail.description()})


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "DescribeTrails",
    reason="ignores `trailNameList`",
    differs="",
)
def describe_trails(original: Function, self: Any) -> ActionResult:
    names = set(self.params.get("trailNameList") or [])
    shadows = self.params.get("includeShadowTrails", True)
    found = trails_in(self.current_account, self.region, shadows=shadows)
    wanted = [
        trail
        for trail in found
        if not names
        or trail.arn in names
        or (trail.trail_name in names and trail.region_name == self.region)
    ]
    return ActionResult({"trailList": [trail.description() for trail in wanted]})


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "DeleteTrail",
    reason="says nothing about a trail that does not exist; keeps a trail that its ARN names",
    differs="",
)
def delete_trail(original: Function, self: Any) -> EmptyResult:
    backend = self.cloudtrail_backend
    trail = find_at_home(backend, self.params["Name"])
    if backend.trails.pop(trail.trail_name, None) and trail.progress.logging:
        delivery.ENDING.append(trail)
    backend.tagging_service.delete_all_tags_for_resource(trail.arn)
    return EmptyResult()


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "StartLogging",
    reason="records nothing",
    differs=(
        "log files come every five minutes of the lab's clock or, while the clock is instant, as "
        "soon as somebody reads the bucket or asks for the trail's status; digests come after each "
        "hour of the clock, for the home Region and those that had events"
    ),
)
def start_logging(original: Function, self: Any) -> EmptyResult:
    trail = find_at_home(self.cloudtrail_backend, self.params["Name"])
    if not trail.progress.logging:
        delivery.begin(trail)
    return EmptyResult()


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "StopLogging",
    reason="delivers no last digest",
    differs="the last log file and the last digest come at once",
)
def stop_logging(original: Function, self: Any) -> EmptyResult:
    trail = find_at_home(self.cloudtrail_backend, self.params["Name"])
    if trail.progress.logging:
        trail.progress.logging, trail.progress.stopped = False, now()
        delivery.ENDING.append(trail)  # this call is the last event
    return EmptyResult()


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "GetTrailStatus",
    reason="pretends that files were delivered",
    differs="",
)
def get_trail_status(original: Function, self: Any) -> ActionResult:
    trail = find(self.current_account, self.region, self.params["Name"])
    if CLOCK.instant:
        delivery.deliver()
    progress = trail.progress
    return ActionResult(
        {
            "IsLogging": progress.logging,
            "LatestDeliveryError": progress.files.error or None,
            "LatestDeliveryTime": progress.files.at,
            "LatestNotificationError": progress.messages.error or None,
            "LatestNotificationTime": progress.messages.at,
            "StartLoggingTime": progress.started,
            "StopLoggingTime": progress.stopped,
            "LatestCloudWatchLogsDeliveryError": progress.log_lines.error or None,
            "LatestCloudWatchLogsDeliveryTime": progress.log_lines.at,
            "LatestDigestDeliveryError": progress.digests.error or None,
            "LatestDigestDeliveryTime": progress.digests.at,
            "TimeLoggingStarted": utc(progress.started) if progress.started else "",
            "TimeLoggingStopped": utc(progress.stopped) if progress.stopped else "",
            **attempts("LatestDelivery", progress.files),
            **attempts("LatestNotification", progress.messages),
        }
    )


def attempts(kind: str, last: Delivery) -> dict[str, str]:
    """Members of the first version of the API, as text."""
    return {
        f"{kind}AttemptTime": utc(last.tried) if last.tried else "",
        f"{kind}AttemptSucceeded": utc(last.at) if last.at else "",
    }


# --- Selectors ---


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "PutEventSelectors",
    reason="knows no rules of selectors; keeps advanced selectors beside basic ones",
    differs=(
        "basic, advanced, data and network activity selectors filter what is delivered; network "
        "activity is known of S3 gateway endpoints only"
    ),
)
def put_event_selectors(original: Function, self: Any) -> ActionResult:
    trail = find_at_home(self.cloudtrail_backend, self.params["TrailName"])
    basic = self.params.get("EventSelectors") or []
    advanced = self.params.get("AdvancedEventSelectors") or []
    if bool(basic) == bool(advanced):
        selectors.invalid("Specify either event selectors or advanced event selectors.")
    selectors.check_basic(basic)
    selectors.check_advanced(advanced)
    delivery.deliver()  # what happened until now passes by the old selectors
    trail.event_selectors = selectors.completed(basic)
    trail.advanced_event_selectors = advanced
    return ActionResult(selectors_of(trail))


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "GetEventSelectors",
    reason="shows no selector of a trail that has the default one",
    differs="",
)
def get_event_selectors(original: Function, self: Any) -> ActionResult:
    trail = find(self.current_account, self.region, self.params["TrailName"])
    return ActionResult(selectors_of(trail))


def selectors_of(trail: LabTrail) -> dict[str, Any]:
    if trail.advanced_event_selectors:
        shown = {"AdvancedEventSelectors": trail.advanced_event_selectors}
    else:
        shown = {"EventSelectors": trail.event_selectors or selectors.DEFAULT}
    return {"TrailARN": trail.arn, **shown}


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "PutInsightSelectors",
    reason="adds to the selectors that were there",
    differs="no Insights event is ever made",
)
def put_insight_selectors(original: Function, self: Any) -> ActionResult:
    trail = find_at_home(self.cloudtrail_backend, trail_name(self.params))
    wanted = self.params["InsightSelectors"]
    kinds = [selector.get("InsightType") for selector in wanted]
    if None in kinds or len(set(kinds)) < len(kinds):
        refuse(
            "InvalidInsightSelectorsException",
            "Each Insights selector must have an InsightType, and none can appear twice.",
        )
    trail.insight_selectors = [{"EventCategories": ["Management"]} | s for s in wanted]
    return ActionResult({"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors})


@changes(
    CloudTrailResponse,
    "cloudtrail",
    "GetInsightSelectors",
    reason="answers without an error when Insights is off",
    differs="",
)
def get_insight_selectors(original: Function, self: Any) -> ActionResult:
    trail = find(self.current_account, self.region, trail_name(self.params))
    if not trail.insight_selectors:
        refuse(
            "InsightNotEnabledException",
            f"Trail {trail.arn} does not have Insights enabled. Edit the trail settings to enable "
            "Insights, and then try the operation again.",
        )
    return ActionResult({"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors})


def trail_name(params: dict[str, Any]) -> str:
    """Selectors of event data stores belong to CloudTrail Lake, which takes no new customers."""
    if params.get("EventDataStore"):
        refuse("UnsupportedOperationException", "CloudTrail Lake is not open to new customers.")
    if not params.get("TrailName"):
        refuse("InvalidParameterCombinationException", "You must specify a TrailName.")
    return str(params["TrailName"])
