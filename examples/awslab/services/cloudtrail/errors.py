"""What CloudTrail refuses, with its own codes."""

from typing import NoReturn

from moto.core.exceptions import ServiceException


class Refused(ServiceException):
    """Any refusal; a class of the lab, because moto takes the service's name from the module."""


def refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
