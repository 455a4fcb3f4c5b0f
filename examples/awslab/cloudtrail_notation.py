"""Requests and answers in CloudTrail's notation: `requestParameters` and `responseElements`.

Most services: the members of the API with a small first letter, times as text, secrets hidden.
EC2 and S3 write what went over the wire, each in its own way.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree

from botocore.awsrequest import HeadersDict
from botocore.exceptions import UnknownServiceError
from botocore.parsers import ResponseParserError, create_parser
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from awslab.calls import UNREADABLE, Call

Elements = dict[str, Any]
List = Callable[[list[Any]], Any]

# What is left out of every record, and what stands for a secret in the records of others.
LEAVE_SECRETS_OUT = {"iam", "kms", "lambda", "secretsmanager", "ssm", "sts"}
SECRET = {"rds": "****", "redshift": "****"}
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# Members that the services hide although their models do not call them sensitive.
ALSO_SECRET = {
    ("dynamodb", "ExpressionAttributeValues"): None,
    ("dynamodb", "Item"): None,
    ("dynamodb", "RequestItems"): None,
    ("firehose", "Record"): None,
    ("firehose", "Records"): None,
    ("kinesis", "Records"): None,
    ("rds-data", "database"): "**********",
    ("rds-data", "parameters"): None,
    ("rds-data", "schema"): "**********",
    ("rds-data", "sql"): "**********",
    ("redshift-data", "Sql"): "***OMITTED***",
    ("redshift-data", "Sqls"): "***OMITTED***",
    ("sagemaker-featurestore-runtime", "Record"): None,
    ("sns", "Message"): HIDDEN,
    ("sns", "MessageAttributes"): HIDDEN,
    ("sns", "Subject"): HIDDEN,
    ("sqs", "MessageAttributes"): HIDDEN,
    ("sqs", "MessageBody"): HIDDEN,
}
# InvokeEndpoint and InvokeEndpointAsync leave no parameters in their events (SageMaker AI guide).
WITHOUT_ELEMENTS = {"sagemaker-runtime"}
S3_HEADERS = (
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-copy-source",
    "x-amz-grant-",
    "x-amz-metadata-directive",
    "x-amz-object-lock-",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-tagging",
)
EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def request_parameters(call: Call, *, with_document: bool) -> Elements | None:
    """The `requestParameters` of a call; None when there are none, or none that can be read.

    with_document: whether the body of an S3 request is a setting, not the content of an object.
    """
    if call.service == "s3":
        return s3_parameters(call, with_document)
    operation = operation_model(call)
    if operation.input_shape is None or call.service in WITHOUT_ELEMENTS:
        return None
    try:
        params = parsed_request(call, operation)
    except (RequestParserError, *UNREADABLE):
        return None
    if call.service == "ec2":
        return ec2_parameters(call.operation, params, operation.input_shape) or None
    return written(params, operation.input_shape, call.service) or None


def response_elements(call: Call) -> Elements | None:
    """The `responseElements` of a call that changed something."""
    if call.status >= 300:
        return None
    if call.service == "s3":
        return s3_elements(call)
    operation = operation_model(call)
    if operation.output_shape is None or call.service in WITHOUT_ELEMENTS:
        return None
    answer = parsed_answer(call, operation)
    if call.service == "ec2":
        return ec2_elements(call, answer, operation.output_shape)
    return written(answer, operation.output_shape, call.service) or None


def error_of(call: Call) -> tuple[str, str]:
    """Code and message of the refusal, as CloudTrail names them."""
    error = parsed_answer(call, operation_model(call)).get("Error", {})
    code, message = str(error.get("Code") or call.status), str(error.get("Message") or "")
    if call.service == "ec2":
        return f"Client.{code}", message
    if call.service == "s3":
        return {"403": "AccessDenied", "404": "NoSuchKey"}.get(code, code), message
    shape = get_service_model(call.service).shape_for_error_code(code)
    return (shape.name if shape else code), message


def operation_model(call: Call) -> Any:
    return get_service_model(call.service).operation_model(call.operation)


def parsed_request(call: Call, operation: Any) -> Elements:
    """The members of the request as the service's model names them, whatever the protocol."""
    request = call.served_by.normalized_request
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    in_path: Any = {}
    if protocol.startswith("rest"):
        in_path = get_service_router(call.service).match(request)[1]
    parsed: Elements = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    return parsed


def parsed_answer(call: Call, operation: Any) -> Elements:
    """The answer as an SDK reads it; empty when it cannot be read."""
    body = call.body.encode() if isinstance(call.body, str) else call.body or b""
    answer = {"status_code": call.status, "headers": HeadersDict(call.headers), "body": body}
    try:
        protocol = call.served_by.determine_response_protocol(operation.service_model)
        parsed: Elements = create_parser(protocol).parse(answer, operation.output_shape)
    except (ResponseParserError, *UNREADABLE, LookupError):
        return {}
    parsed.pop("ResponseMetadata", None)
    return parsed


def small(name: str) -> str:
    return name[:1].lower() + name[1:]


def as_text(at: datetime) -> str:
    """`Nov 21, 2026 9:05:07 AM`"""
    hour = at.hour % 12 or 12
    return f"{at:%b} {at.day}, {at.year} {hour}:{at:%M:%S %p}"


def written(value: Any, shape: Any, service: str) -> Any:
    """A value in the notation of most services; None where it is left out."""
    kind = shape.type_name
    if kind == "blob":
        return None
    if shape.metadata.get("sensitive"):
        return None if service in LEAVE_SECRETS_OUT else SECRET.get(service, HIDDEN)
    if kind == "structure":
        return dict(members(value, shape, service))
    if kind == "list":
        return [written(item, shape.member, service) for item in value]
    if kind == "map":
        return {key: written(item, shape.value, service) for key, item in value.items()}
    if kind == "timestamp":
        return as_text(value)
    return value


def members(value: Elements, shape: Any, service: str) -> Iterator[tuple[str, Any]]:
    if getattr(shape, "is_document_type", False):
        yield from value.items()
        return
    for name, inner in value.items():
        if inner is None or name not in shape.members:
            continue
        if (service, name) in ALSO_SECRET:
            said = ALSO_SECRET[service, name]
        else:
            said = written(inner, shape.members[name], service)
        if said is not None:
            yield small(name), said


# --- EC2: newer operations write the query as it came, older ones sets of items ---


def ec2_parameters(operation: str, params: Elements, shape: Any) -> Elements:
    if not params:
        return {}
    if "VpcEndpoint" in operation:
        return {f"{operation}Request": as_sent(params, shape)}
    return as_sets(params, shape)


def wire_name(name: str, shape: Any) -> str:
    """The name in the query: `TagSpecification` for the member `TagSpecifications`."""
    sent = shape.serialization.get("queryName") or shape.serialization.get("name", name)
    return str(sent[:1].upper() + sent[1:])


def as_sent(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        return {
            wire_name(name, shape.members[name]): as_sent(inner, shape.members[name])
            for name, inner in value.items()
        }
    if shape.type_name == "list":
        tagged = [
            {"tag": number} | (said if isinstance(said, dict) else {"content": said})
            for number, said in enumerate((as_sent(item, shape.member) for item in value), 1)
        ]
        return tagged[0] if len(tagged) == 1 else tagged
    return as_text(value) if isinstance(value, datetime) else value


def as_sets(value: Elements, shape: Any) -> Elements:
    found: Elements = {}
    for name, inner in value.items():
        member = shape.members[name]
        sent = small(wire_name(name, member))
        if member.type_name == "structure":
            found[sent] = as_sets(inner, member)
        elif member.type_name == "list":
            items = [
                as_sets(item, member.member) if isinstance(item, dict) else {sent: item}
                for item in inner
            ]
            found[f"{sent.removesuffix('Id')}Set"] = {"items": items}
        elif member.type_name != "blob":
            found[sent] = as_text(inner) if isinstance(inner, datetime) else inner
    return found


def ec2_elements(call: Call, answer: Elements, shape: Any) -> Elements:
    request_id = {"requestId": request_id_of(call)}
    if "VpcEndpoint" not in call.operation:
        return request_id | as_answered(answer, shape, lambda items: {"items": items})
    said = as_answered(
        answer, shape, lambda items: {"item": items[0] if len(items) == 1 else items}
    )
    return {f"{call.operation}Response": {"xmlns": EC2_NAMESPACE} | request_id | said}


def as_answered(value: Any, shape: Any, as_list: List) -> Any:
    if shape.type_name == "structure":
        return {
            shape.members[name].serialization.get("name", name): as_answered(
                inner, shape.members[name], as_list
            )
            for name, inner in value.items()
        }
    if shape.type_name == "list":
        return as_list([as_answered(i, shape.member, as_list) for i in value]) if value else {}
    return as_text(value) if isinstance(value, datetime) else value


def request_id_of(call: Call) -> str:
    headers = HeadersDict(call.headers)
    return str(headers.get("x-amzn-requestid") or headers.get("x-amz-request-id") or "")


# --- S3: the query and some headers as they came, and the XML document of a setting ---


def s3_parameters(call: Call, with_document: bool) -> Elements:
    request, bucket = call.served_by.normalized_request, call.served_by.bucket_name
    found: Elements = {name: request.args[name] for name in request.args}
    for name, value in request.headers:
        if name.lower().startswith(S3_HEADERS):
            found[name.lower()] = value
    host = f"s3.{call.region}.amazonaws.com"
    found["Host"] = f"{bucket}.{host}" if bucket else host
    if bucket:
        found["bucketName"] = bucket
    key = call.served_by.parse_key_name()
    if bucket and key:
        found["key"] = key
    if with_document and request.data:
        found |= s3_document(request.data)
    return found


def s3_document(body: bytes) -> Elements:
    """A bucket policy is JSON, all other settings are XML."""
    if body.lstrip().startswith(b"{"):
        try:
            return {"bucketPolicy": json.loads(body)}
        except ValueError:
            return {}
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return {}
    namespace, _, name = root.tag.rpartition("}")
    said = element(root)
    inside = said if isinstance(said, dict) else {}
    return {name: ({"xmlns": namespace.lstrip("{")} if namespace else {}) | inside}


def element(node: ElementTree.Element) -> Any:
    if len(node) == 0:
        return scalar(node.text or "")
    found: Elements = {}
    for child in node:
        name, said = child.tag.rpartition("}")[2], element(child)
        if name not in found:
            found[name] = said
        elif isinstance(found[name], list):
            found[name].append(said)
        else:
            found[name] = [found[name], said]
    return found


def scalar(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def s3_elements(call: Call) -> Elements | None:
    shown = ("x-amz-server-side-encryption", "x-amz-version-id")
    found = {n.lower(): v for n, v in call.headers.items() if n.lower().startswith(shown)}
    return found or None


@cache
def is_known(service: str, operation: str) -> bool:
    """Whether the API of AWS has this operation."""
    try:
        return operation in get_service_model(service).operation_names
    except UnknownServiceError:  # a part of moto itself
        return False
