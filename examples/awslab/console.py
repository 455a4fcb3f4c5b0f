"""The lab as a reader sees it: the page `/_lab/`, and what stands behind it, as JSON.

    GET  /_lab/state       resources, what AWS would bill, deployments, calls, programs, the clock
    GET  /_lab/clock       the clock
    POST /_lab/clock       {"speed": null or a number} and {"advance": seconds}
    POST /_lab/reset       empties the lab
    POST /_lab/interrupt   ?job=NAME[&region=…][&account=…]: takes a spot job's instances away

The functions serve programs in this process as well. Nobody else is to reach them: the server
refuses callers from elsewhere before they come here.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any

import moto
from moto.core.exceptions import ServiceException
from moto.moto_api._internal.models import moto_api_backend
from moto.sagemaker.models import sagemaker_backends
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from awslab import billing, inventory, work
from awslab.calls import CALLS, Call
from awslab.clock import CLOCK, FASTEST
from awslab.embedded import REGION
from awslab.services.identity import ACCOUNT
from awslab.services.sagemaker.deployment import progress
from awslab.services.sagemaker.training import interrupt

FILES = Path(__file__).with_name("console")
LANGUAGES = {"ja": "日本語", "en": "English"}
SHOWN_CALLS = 50
LONGEST_STEP = 366 * 24 * 3600  # seconds that the clock advances at once
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; img-src data:; script-src 'self'; "
        "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Json = dict[str, Any]


class Refused(Exception):
    """A request that the console cannot follow; the message says why."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


# --- what is in the lab --------------------------------------------------------------------------


def state() -> Json:
    """All that the page shows."""
    found = list(inventory.resources())
    return {
        "moto": moto.__version__,
        "account": ACCOUNT,
        "clock": clock(),
        "resources": [resource_shown(each) for each in found],
        "billed_now": [bill for each in found for bill in bills(each)],
        "deployments": list(deployments()),
        "programs": [program_shown(each) for each in work.programs()],
        "calls": [call_shown(call) for call in islice(reversed(CALLS.copy()), SHOWN_CALLS)],
    }


def clock() -> Json:
    gait = "instant" if CLOCK.speed is None else "running" if CLOCK.speed else "frozen"
    return {"now": CLOCK.now().isoformat(), "gait": gait, "speed": CLOCK.speed}


def resource_shown(resource: inventory.Resource) -> Json:
    return {
        "service": resource.service,
        "service_name": inventory.SERVICES[resource.service],
        "type": resource.type,
        "account": resource.account,
        "region": resource.region,
        "name": resource.name,
        "status": resource.status,
        "created": resource.created and resource.created.isoformat(),
        "billed": [charge_shown(charge) for charge in resource.billed],
        "detail": resource.detail,
    }


def charge_shown(charge: billing.Charge) -> Json:
    """what: in English words; text and values: to say the same in another language."""
    what = texts("en")["billed"][charge.what].format(**charge.values)
    return {"per": charge.per, "what": what, "text": charge.what, "values": charge.values}


def bills(resource: inventory.Resource) -> Iterator[Json]:
    """What the resource would cost although nobody uses it."""
    place = {name: getattr(resource, name) for name in ("service", "type", "account", "region")}
    for charge in resource.billed:
        if charge.per != billing.USE:
            yield place | {"name": resource.name} | charge_shown(charge)


def deployments() -> Iterator[Json]:
    """Endpoints on their way from one configuration to another."""
    for account, regions in list(sagemaker_backends.items()):
        for region, backend in list(regions.items()):
            for endpoint in list(backend.endpoints.values()):
                if endpoint.deployment:
                    place = {"account": account, "region": region, "endpoint": endpoint.name}
                    way = progress(endpoint)
                    left = None if CLOCK.instant else round(way["seconds_left"])
                    yield place | way | {"status": endpoint.status, "seconds_left": left}


def program_shown(program: work.Work) -> Json:
    folder = program.folder.relative_to(work.own_folder()).parts[0]
    return {"process": program.process_id, "purpose": folder.rpartition("-")[0]}


def call_shown(call: Call) -> Json:
    return {
        "at": call.at.isoformat(),
        "service": call.service,
        "operation": call.operation,
        "account": call.account,
        "region": call.region,
        "status": call.status,
        "error": call.error,
        "milliseconds": round(1000 * call.seconds, 1),
    }


def version_of(shown: Json) -> str:
    """Of a state: the same as long as only the time passes."""
    speed = 1.0 if CLOCK.speed is None else CLOCK.speed
    offset = round(CLOCK.now().timestamp() - time.time() * speed)
    rest = shown | {"clock": {"speed": CLOCK.speed, "offset": offset}}
    return hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:16]


# --- what a reader may do ------------------------------------------------------------------------


def set_clock(change: Any) -> Json:
    """Change the gait, without a jump, and then advance; returns the clock.

    Raises:
        Refused: the change is none.
    """
    if not isinstance(change, dict) or not change or not change.keys() <= {"speed", "advance"}:
        raise Refused('send {"speed": null or a number}, {"advance": seconds}, or both')
    speed, seconds = change.get("speed"), change.get("advance", 0)
    if speed is not None and not is_number(speed, FASTEST):
        raise Refused(f"speed: null (instant), 0 (stopped), or a number up to {FASTEST:g}")
    if not is_number(seconds, LONGEST_STEP):
        raise Refused(f"advance: seconds, a number from 0 to {LONGEST_STEP}")
    if "speed" in change:
        CLOCK.go_on(speed)
    CLOCK.advance(seconds)
    return clock()


def is_number(value: Any, most: float) -> bool:
    """Whether it is a number from 0 to `most`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and not math.isnan(value) and 0 <= value <= most


def empty() -> None:
    """Forget everything, in all accounts and Regions."""
    moto_api_backend.reset()


def interrupt_job(job: str, region: str = REGION, account: str = ACCOUNT) -> None:
    """Take the spot instances of a training job away.

    Raises:
        Refused: there is no such job, or it has no spot instances now.
    """
    backend = sagemaker_backends.get(account, {}).get(region)
    if backend is None or job not in backend.training_jobs:
        message = f"no training job {job!r} in {region} of account {account}"
        raise Refused(message, HTTPStatus.NOT_FOUND)
    try:
        interrupt(account, region, job)
    except ServiceException as error:
        raise Refused(str(error.message), HTTPStatus.CONFLICT) from error


# --- over HTTP -----------------------------------------------------------------------------------


def answer(body: Any, status: int = HTTPStatus.OK) -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False) + "\n", status, mimetype="application/json"
    )


def get_state(request: Request) -> Response:
    shown = state()
    response = answer(shown)
    response.set_etag(version_of(shown))
    return response.make_conditional(request)


def post_clock(request: Request) -> Response:
    try:
        change = json.loads(request.get_data())
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from error
    return answer(set_clock(change))


def post_reset(request: Request) -> Response:
    empty()
    return answer({"reset": True})


def post_interrupt(request: Request) -> Response:
    if not request.args.get("job"):
        raise Refused("name the training job: ?job=NAME")
    asked = {
        name: request.args[name] for name in ("job", "region", "account") if name in request.args
    }
    interrupt_job(**asked)
    return answer({"interrupted": asked["job"]})


@cache
def texts(language: str) -> Json:
    """The texts of the page; both languages have the same keys."""
    found: Json = json.loads((FILES / f"texts.{language}.json").read_text(encoding="utf-8"))
    return found


def language_of(request: Request) -> str:
    """As the address says, otherwise as the browser prefers."""
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(list(LANGUAGES), default="en") or "en"


def get_page(request: Request) -> Response:
    language = language_of(request)
    other = next(each for each in LANGUAGES if each != language)
    page = Template((FILES / "page.html").read_text(encoding="utf-8")).substitute(
        texts(language)["page"],
        language=language,
        other=other,
        other_name=LANGUAGES[other],
        # In a script element only `<` could end it.
        texts=json.dumps(texts(language), ensure_ascii=False).replace("<", "\\u003c"),
    )
    return Response(page, mimetype="text/html", headers={"Vary": "Accept-Language"})


def get_file(name: str, kind: str) -> Callable[[Request], Response]:
    return lambda request: Response((FILES / name).read_bytes(), mimetype=kind)


def to_page(request: Request) -> Response:
    return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": "/_lab/"})


ROUTES: dict[str, dict[str, Callable[[Request], Response]]] = {
    "/_lab": {"GET": to_page},
    "/_lab/": {"GET": get_page},
    "/_lab/page.css": {"GET": get_file("page.css", "text/css")},
    "/_lab/page.js": {"GET": get_file("page.js", "text/javascript")},
    "/_lab/state": {"GET": get_state},
    "/_lab/clock": {"GET": lambda request: answer(clock()), "POST": post_clock},
    "/_lab/reset": {"POST": post_reset},
    "/_lab/interrupt": {"POST": post_interrupt},
}


def responded(request: Request) -> Response:
    methods = ROUTES.get(request.path)
    if methods is None:
        return answer({"error": f"there is no {request.path}"}, HTTPStatus.NOT_FOUND)
    serve = methods.get("GET" if request.method == "HEAD" else request.method)
    if serve is None:
        response = answer({"error": "another method"}, HTTPStatus.METHOD_NOT_ALLOWED)
        response.headers["Allow"] = ", ".join(methods)
        return response
    try:
        return serve(request)
    except Refused as refused:
        return answer({"error": str(refused)}, refused.status)
    except HTTPException as error:
        return answer({"error": error.description}, error.code or 500)


def beside(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """An application that answers `/_lab/` itself and leaves all else to another."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path != "/_lab" and not request.path.startswith("/_lab/"):
            return application(environ, start_response)
        response = responded(request)
        response.headers.update(HEADERS)
        return response(environ, start_response)

    return serve
