"""Write `smcli/images.json`, the images that AWS offers, from the data of the SageMaker Python SDK.

`python tests/sagemaker_cli/write_images.py` after an upgrade of the SDK. The command line itself
does without the SDK, whose import takes seconds.
"""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sagemaker.core import image_uris

FILE = Path(__file__).parents[2] / "examples/sagemaker_cli/smcli/images.json"
# The names of a framework in the SDK, which keeps PyTorch's images since 2.11 apart.
FRAMEWORKS = {
    "huggingface": ["huggingface"],
    "pytorch": ["pytorch", "pytorch-amzn2023"],
    "sklearn": ["sklearn"],
    "tensorflow": ["tensorflow"],
    "xgboost": ["xgboost"],
}
NEWEST = 10  # versions of a framework for a purpose
PURPOSES = ("training", "inference")
INSTANCE_TYPES = {"cpu": "ml.m5.xlarge", "gpu": "ml.g5.xlarge"}
XGBOOST_0_72 = "1"  # its number suggests a newer one

# What `retrieve` is called with, but for Region, purpose and processor; and what the SDK knows.
Version = tuple[dict[str, str], dict[str, Any]]


def versions(name: str, purpose: str) -> Iterator[Version]:
    """The versions under a name of the SDK; of several patches of one, that with the short name."""
    scope = image_uris.config_for_framework(name).get(purpose, {"versions": {}})
    aliases = scope.get("version_aliases", {}).items()
    short = {full: alias for alias, full in aliases if alias != "latest"}
    processors = {"processors": scope.get("processors")}
    for full, details in scope["versions"].items():
        called = {"framework": name, "version": short.get(full, full)}
        if name == "huggingface":
            for base in (name for name in details if name != "version_aliases"):
                yield (
                    called | {"version": full, "base_framework_version": base},
                    processors | details[base],
                )
        elif full != XGBOOST_0_72 and (full in short or not short):
            yield called, processors | details


def chosen(framework: str, purpose: str) -> list[Version]:
    """The newest versions of a framework, newest first."""
    found = [each for name in FRAMEWORKS[framework] for each in versions(name, purpose)]
    return [
        (called | {"image_scope": purpose} | python_of(details), details)
        for called, details in sorted(found, key=age, reverse=True)[:NEWEST]
    ]


def shown(called: dict[str, str]) -> str:
    return "-".join(called[key] for key in ("version", "base_framework_version") if key in called)


def age(found: Version) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", shown(found[0]))]


def python_of(details: dict[str, Any]) -> dict[str, str]:
    """The newest Python of an image that exists with several."""
    names = details.get("py_versions") or []
    return {"py_version": max(names, key=lambda name: int(name[2:]))} if names else {}


def processors_of(details: dict[str, Any]) -> list[str]:
    return details.get("processors") or list(INSTANCE_TYPES)


def content() -> dict[str, Any]:
    """registries: the hosts by Region, of one image after the other, each table once."""
    registries: list[dict[str, str]] = []
    accounts: list[dict[str, str]] = []
    images: dict[tuple[str, int], dict[str, Any]] = {}
    for framework in FRAMEWORKS:
        for purpose in PURPOSES:
            for called, details in chosen(framework, purpose):
                if details["registries"] not in accounts:
                    accounts.append(details["registries"])
                    registries.append(hosts(called, details))
                at = accounts.index(details["registries"])
                for processor in processors_of(details):
                    uri = retrieve(called, processor, next(iter(registries[at])))
                    image = images.setdefault(
                        (uri.partition("/")[2], at),
                        {
                            "framework": framework,
                            "version": shown(called),
                            "purposes": [],
                            "processors": [],
                            "image": uri.partition("/")[2],
                            "registries": at,
                        },
                    )
                    for key, value in (("purposes", purpose), ("processors", processor)):
                        image[key] += [value] if value not in image[key] else []
    return {
        "sdk": version("sagemaker"),
        "newest": NEWEST,
        "registries": registries,
        "images": list(images.values()),
    }


def retrieve(called: dict[str, str], processor: str, region: str) -> str:
    uri: str = image_uris.retrieve(region=region, instance_type=INSTANCE_TYPES[processor], **called)
    return uri


def hosts(called: dict[str, str], details: dict[str, Any]) -> dict[str, str]:
    processor = processors_of(details)[0]
    return {
        region: retrieve(called, processor, region).partition("/")[0]
        for region in sorted(details["registries"])
    }


def as_text(found: dict[str, Any]) -> str:
    """JSON with an image to a line."""
    images = ",\n".join(f"    {json.dumps(image)}" for image in found["images"])
    tables = ",\n".join(
        "    {\n"
        + ",\n".join(f"      {json.dumps(r)}: {json.dumps(h)}" for r, h in table.items())
        + "\n    }"
        for table in found["registries"]
    )
    return (
        f'{{\n  "sdk": {json.dumps(found["sdk"])},\n  "newest": {found["newest"]},\n'
        f'  "registries": [\n{tables}\n  ],\n  "images": [\n{images}\n  ]\n}}\n'
    )


if __name__ == "__main__":
    FILE.write_text(as_text(content()), encoding="utf-8")
