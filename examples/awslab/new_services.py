"""Services that moto has no backend for: made known to its dispatch, in process and served."""

import re
from types import SimpleNamespace
from typing import Any, ClassVar

import moto.backend_index
import moto.backends
from moto.core.base_backend import BackendDict, BaseBackend

from awslab.extension import Function, changes, sets

PATTERNS: list[tuple[str, re.Pattern[str]]] = list(moto.backend_index.backend_url_patterns)
SERVED: dict[str, BackendDict] = {}


class NewBackend(BaseBackend):
    """What one account keeps in one Region. Subclasses name their host and their responses.

    host: as it stands before the Region, `redshift-serverless`. responses: moto's response class.
    """

    host: ClassVar[str]
    responses: ClassVar[Any]

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(
            url_bases=[pattern_of(self.host)], url_paths={"{0}/$": self.responses.dispatch}
        )


def pattern_of(host: str) -> str:
    return rf"https?://{re.escape(host)}\.(.+)\.amazonaws\.com"


def serves(backend: type[NewBackend], regions_of: str) -> BackendDict:
    """Have requests for the host of a backend reach it.

    regions_of: the service whose Regions it shares, as boto3 knows it.
    """
    name = backend.host.replace("-", "")
    SERVED[name] = BackendDict(backend, regions_of)
    PATTERNS.append((name, re.compile(pattern_of(backend.host))))
    return SERVED[name]


sets(
    moto.backend_index,
    "backend_url_patterns",
    PATTERNS,
    service="all",
    operation="services that moto lacks",
    reason="answers 404",
)


@changes(
    moto.backends,
    "all",
    "services that moto lacks",
    reason="finds no code for them",
    differs="Redshift Serverless only",
)
def _import_backend(original: Function, module_name: str, backends_name: str) -> Any:
    found = SERVED.get(module_name)
    return original(module_name, backends_name) if found is None else found
