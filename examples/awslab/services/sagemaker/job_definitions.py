"""The definitions of the four monitors' jobs."""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.exceptions import ResourceInUseException
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab.extension import Function, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.resource import Resource

CREATING = threading.RLock()  # held while a name is looked up and then taken

Request = Mapping[str, Any]


class JobDefinition(Resource):
    """The definition of the jobs of one monitor."""

    def __init__(self, backend: SageMakerModelBackend, kind: str, request: Request) -> None:
        arn_kind = camelcase_to_underscores(f"{kind}JobDefinition").replace("_", "-")
        super().__init__(backend, arn_kind, request["JobDefinitionName"], request)
        self.kind = kind

    @property
    def endpoint(self) -> str | None:
        """The endpoint whose captured data it reads; None: it reads those of a batch transform."""
        source = self.request[f"{self.kind}JobInput"].get("EndpointInput")
        return source["EndpointName"] if source else None

    def describe(self) -> dict[str, Any]:
        """The members of the Describe call, which moto makes."""
        times = {"CreationTime": self.creation_time}
        operation = f"Describe{self.kind}JobDefinition"
        return told(operation, self.request, JobDefinitionArn=self.arn, **times)

    response_object = property(describe)


def held(backend: SageMakerModelBackend, kind: str) -> dict[str, JobDefinition]:
    """All definitions of a kind, where moto keeps them."""
    found: dict[str, JobDefinition] = getattr(
        backend, camelcase_to_underscores(f"{kind}JobDefinition") + "s"
    )
    return found


def creates(kind: str, reason: str) -> None:
    """Keep definitions of a kind, no two of the same name."""

    def create(original: Function, self: Any) -> Any:
        definitions = held(self.sagemaker_backend, kind)
        made = JobDefinition(self.sagemaker_backend, kind, self.params)
        source = self.params[f"{kind}JobInput"]
        if ("EndpointInput" in source) == ("BatchTransformInput" in source):
            refuse("Exactly one of EndpointInput and BatchTransformInput must be specified.")
        with CREATING:
            if made.name in definitions:
                raise ResourceInUseException(
                    f"Resource Already Exists: {kind}JobDefinition with name {made.name} already "
                    "exists. Choose a different name."
                )
            definitions[made.name] = made
        return ActionResult({"JobDefinitionArn": made.arn})

    operation = f"Create{kind}JobDefinition"
    create.__name__ = camelcase_to_underscores(operation)
    changes(
        SageMakerResponse,
        "sagemaker",
        operation,
        reason=reason,
        differs="endpoints, images and data are not looked up",
    )(create)


def lists(kind: str, reason: str) -> None:
    """Filter, sort and page the definitions of a kind."""

    def listed(original: Function, self: Any) -> Any:
        endpoint = self.params.get("EndpointName")
        found = [
            definition
            for definition in list(held(self.sagemaker_backend, kind).values())
            if endpoint in (None, definition.endpoint)
        ]
        keys = {"CreationTime": by_creation_time, "Name": by_name}
        shown, token = page(found, self.params, keys, 10)
        summaries = [
            {
                "MonitoringJobDefinitionName": each.name,
                "MonitoringJobDefinitionArn": each.arn,
                "CreationTime": each.creation_time,
                "EndpointName": each.endpoint or "",
            }
            for each in shown
        ]
        return ActionResult({"JobDefinitionSummaries": summaries, "NextToken": token})

    operation = f"List{kind}JobDefinitions"
    listed.__name__ = camelcase_to_underscores(operation)
    changes(SageMakerResponse, "sagemaker", operation, reason=reason, differs="")(listed)


creates("DataQuality", "replaces a definition of the same name")
creates("ModelBias", "replaces a definition of the same name")
creates("ModelQuality", "crashes without `EndpointInput`")
creates("ModelExplainability", "crashes without `EndpointInput`")
lists("DataQuality", "names no endpoint; ignores filters; lists the oldest first")
lists("ModelBias", "ignores filters; lists the oldest first")
lists("ModelQuality", "lists the oldest first")
lists("ModelExplainability", "lists the oldest first")
