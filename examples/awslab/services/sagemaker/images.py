"""What stands in for a container image: the lab has no Docker and pulls nothing.

A registry account per Region owns AWS's images, so only the repository's name counts here:
`<account>.dkr.ecr.<Region>.amazonaws.com/<repository>:<tag>`.
"""

import re

XGBOOST = re.compile(r"(sagemaker-)?xgboost")
FRAMEWORK = re.compile(
    r"(huggingface-)?(pytorch|tensorflow)(-training|-inference)?"
    r"|sagemaker-(scikit-learn|pytorch|tensorflow|tensorflow-scriptmode)"
)
VERSION = re.compile(r"\d+(\.\d+)*(-\d+)?(?![\w.])")


def kind_of(image: str) -> str | None:
    """`xgboost`: the built-in algorithm, or its image with an own script. `framework`: an own
    script in an image of PyTorch, TensorFlow, scikit-learn or Hugging Face. None: the lab has
    nothing that behaves like this image."""
    repository = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if XGBOOST.fullmatch(repository):
        return "xgboost"
    return "framework" if FRAMEWORK.fullmatch(repository) else None


def version_of(image: str) -> str | None:
    """The version that the tag begins with: `1.0-1` of `sagemaker-xgboost:1.0-1-cpu-py3`.

    None: there is no tag, or it names no version, as `latest`.
    """
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = VERSION.match(tag)
    return found[0] if found else None
