"""What processing and transform jobs have in common: a thread of work behind a status."""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend

from awslab.clock import Course, Stage, naive_now
from awslab.services.sagemaker.container import QUEUE, Failure
from awslab.services.sagemaker.endpoint_configs import Request, by_creation_time, by_name, page
from awslab.services.sagemaker.resource import Resource

LONGEST_REASON = 1024
ENDED = ("Completed", "Failed", "Stopped")
CREATING = threading.Lock()  # between the check of a name and its use


class Job(Resource):
    """A job of which one thread does the work: InProgress, and then Completed, Failed or Stopped.

    A subclass does the work in `run`, and ends early when `stopped` is set.
    """

    kind = ""  # as in the ARN
    noun = ""  # as in messages: `Processing`

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, self.kind, request[f"{self.noun}JobName"], request)
        self.backend = backend
        self.start_time: datetime | None = None
        self.end_time: datetime | None = None
        self.failure: str | None = None
        self.stopped = threading.Event()
        self.over = threading.Event()  # the lab has been emptied
        self._done = threading.Event()
        self._lock = threading.RLock()
        self.course = Course([Stage("InProgress", work=self._done.wait), Stage("Completed")])
        QUEUE.add(self._go)

    @property
    def status(self) -> str:
        return self.course.stage

    def run(self) -> None:
        """Do the work; in a thread of its own, when a processor is free.

        Raises:
            Failure: the job fails, with this reason.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End the job before its time; one that has ended stays as it is."""
        with self._lock:
            if self._done.is_set() or self.status != "InProgress":
                return
            self.course.divert([Stage("Stopping", work=self._done.wait), Stage("Stopped")])
            self.stopped.set()

    def _go(self, over: threading.Event) -> None:
        self.over = over
        try:
            if not self.stopped.is_set():
                self.start_time = naive_now()
                self.run()
        except Failure as failure:
            self._fail(str(failure))
        except Exception:
            if not over.is_set():
                logging.getLogger(__name__).exception("The lab failed in %s", self.arn)
                self._fail("InternalServerError: We encountered an internal error. Try again.")
        finally:
            with self._lock:
                self.end_time = self.last_modified_time = naive_now()
                self._done.set()

    def _fail(self, reason: str) -> None:
        with self._lock:
            if not self.stopped.is_set():
                self.failure = reason[:LONGEST_REASON]
                self.course.divert([Stage("InProgress", work=self._done.wait), Stage("Failed")])

    def shown(self) -> dict[str, Any]:
        """What Describe and List show of every such job."""
        ended = self.status in ENDED
        return {
            f"{self.noun}JobName": self.name,
            f"{self.noun}JobArn": self.arn,
            f"{self.noun}JobStatus": self.status,
            "CreationTime": self.creation_time,
            f"{self.noun}EndTime": self.end_time if ended else None,
            "LastModifiedTime": self.last_modified_time,
            "FailureReason": self.failure if self.status == "Failed" else None,
        }

    # What moto's Search asks its resources for.

    def gen_response_object(self) -> dict[str, Any]:
        return self.request | self.shown() | {"Tags": self.tags}


def add(make: Callable[[], Job], jobs: dict[str, Any], name: str) -> Job:
    """Keep a new job under its name, which can never be used again.

    Raises:
        ResourceInUseException: the name is taken.
    """
    with CREATING:
        if name in jobs:
            raise ResourceInUseException(
                "Job name must be unique within an AWS account and region, "
                f"and a job with this name already exists ({jobs[name].arn})"
            )
        made = jobs[name] = make()
    return made


def find(jobs: dict[str, Any], name: str) -> Any:
    """A job by its name.

    Raises:
        ResourceNotFound: there is none.
    """
    if name not in jobs:
        raise ResourceNotFound(f"Could not find requested job with name: {name}")
    return jobs[name]


def listed(jobs: Iterable[Any], params: Request) -> tuple[list[Any], str | None]:
    """The page of jobs that a List call asks for, each of them looked at."""
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    wanted = params.get("StatusEquals")
    met = [job for job in jobs if wanted in (None, job.course.look())]
    return page(met, params, keys, 10)


def by_status(job: Any) -> str:
    return str(job.status)
