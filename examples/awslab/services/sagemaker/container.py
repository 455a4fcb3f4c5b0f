"""Programs of jobs, and the private folders that they take for /opt/ml.

The lab has no Docker. The program of a job runs as a process of this machine with the Python of
the lab; a folder of its own stands in for `/opt/ml`, and wherever the lab hands a path to the
program (arguments, variables, `.py` and `.sh` files that it downloads) it writes the real one. What
the program prints is turned back, so that logs read as on AWS.

Nothing here knows of training: processing, transform and tuning jobs use the same parts.
"""

import gzip
import io
import json
import os
import posixpath
import re
import sys
import tarfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

import awslab
from awslab import objects
from awslab.current import served
from awslab.extension import on_reset
from awslab.services.s3 import find_bucket
from awslab.work import GRACE, Work, end_all, new_folder, remove_folder

OPT_ML = "/opt/ml"
PYTHON_NAME = re.compile(r"python(\d(\.\d+)?)?")
LAB = Path(awslab.__file__).parent
INHERITED = ("LD_LIBRARY_PATH",)
CODE_FILES = (".py", ".sh")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SESSION = 12 * 3600  # seconds that the credentials of a program are good for

Line = Callable[[str], None]
Item = tuple[str, str]  # the URI of an object, and its path below the folder that gets it


class Failure(Exception):
    """What ends a job; the message is its FailureReason."""


# --- when programs may run ------------------------------------------------------------------------


class Queue:
    """Jobs that wait for a free processor, in the order in which they came.

    limit: how many run at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running = 0
        self._open = 0  # jobs that wait or run
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._over = threading.Event()

    @property
    def full(self) -> bool:
        """Whether a job that comes now has to wait."""
        return self._running >= self.limit

    def add(self, task: Callable[[threading.Event], None]) -> None:
        """Call the task in a thread as soon as its turn comes.

        It gets an event that says that the lab is over: nothing may be written from then on.
        """
        with self._lock:
            if self._pool is None:
                self._over = threading.Event()
                self._pool = ThreadPoolExecutor(self.limit, thread_name_prefix="lab-job")
            self._open += 1
            self._pool.submit(self._run, task, self._over)

    def _run(self, task: Callable[[threading.Event], None], over: threading.Event) -> None:
        with self._lock:
            self._running += 1
        try:
            task(over)
        finally:
            with self._lock:
                self._running -= 1
                self._open -= 1

    @property
    def idle(self) -> bool:
        """Whether no job waits or runs."""
        return not self._open

    def forget_threads(self) -> None:
        """In a fork there are none."""
        self._pool = None

    def close(self) -> None:
        """Forget who waits, end what runs."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            self._over.set()
            end_all()
            pool.shutdown(wait=True)
            self._open = 0  # those that waited do not come any more


QUEUE = Queue(max(2, os.cpu_count() or 1))
on_reset(QUEUE.close)
os.register_at_fork(after_in_child=QUEUE.forget_threads)


# --- one program ----------------------------------------------------------------------------------


class Container:
    """A private folder in the place of /opt/ml, and the program that runs in it."""

    def __init__(self, purpose: str) -> None:
        self._base = new_folder(purpose)
        self.root = self._base / "ml"
        self._scratch = self._base / "tmp"
        self._places = {OPT_ML: self.root}
        self._work: Work | None = None
        self._real, self._told = self._patterns()
        for folder in (self.root, self._scratch):
            folder.mkdir()

    def inside(self, path: str) -> Path:
        """Where a path of the container really is. A folder outside of /opt/ml gets a place."""
        clean = "/" + posixpath.normpath("/" + path).lstrip("/")
        if clean == OPT_ML or clean.startswith(OPT_ML + "/"):
            return self.root / clean.removeprefix(OPT_ML).lstrip("/")
        place = self._base / "elsewhere" / clean.lstrip("/")
        if clean != "/":
            self._places[clean] = place
            self._real, self._told = self._patterns()
        return place

    def _patterns(self) -> tuple[re.Pattern[str], dict[str, str]]:
        """What `real` and `told` look for."""
        paths = sorted(self._places, key=len, reverse=True)
        either = "|".join(map(re.escape, paths))
        told = {str(place): path for path, place in self._places.items()}
        told |= {str(self._scratch): "/tmp", str(LAB): "/usr/local/lib/awslab"}
        for prefix in (sys.prefix, sys.base_prefix):
            if not "/usr/local/".startswith(prefix + "/"):
                told.setdefault(prefix, "/usr/local")
        return re.compile(rf"(?<![\w.-])(?<!s3:/)({either})(?![\w-]|\.\w)"), told

    def real(self, text: str) -> str:
        """A text with the container's paths in it, as the program needs it."""
        return self._real.sub(lambda found: str(self._places[found[1]]), text)

    def told(self, text: str) -> str:
        """What the program says, with the container's paths again."""
        for place, path in self._told.items():
            text = text.replace(place, path)
        return text

    def put(self, path: str, content: str) -> None:
        """Write a text file, the container's paths in it made real."""
        target = self.inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.real(content), encoding="utf-8")

    def download(self, items: Iterable[Item], folder: str) -> None:
        """Copy objects of S3 into a folder of the container.

        Raises:
            Failure: an object is not there, or cannot be a file there.
        """
        target = self.inside(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            for uri, relative in items:
                place = within(target, relative)
                if relative.endswith("/"):
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(objects.read(uri))
                self.adapt(place)
        except objects.NotFound:
            missing = "NoSuchKey: The specified key does not exist."
            raise Failure(f"{NOT_DOWNLOADED}Unable to download object {uri} ({missing})") from None
        except (OSError, ValueError) as error:
            reason = self.told(str(error))
            raise Failure(f"{NOT_DOWNLOADED}Unable to download object {uri} ({reason})") from None

    def unpack(self, uri: str, folder: str) -> None:
        """Extract a tar.gz, of S3 or in the container, into a folder of the container.

        Raises:
            Failure: it is not there, or is no such archive.
        """
        target = self.inside(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            in_s3 = uri.startswith("s3://")
            packed = objects.read(uri) if in_s3 else self.inside(uri).read_bytes()
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r:*") as archive:
                archive.extractall(target, filter="data")
        except objects.NotFound:
            missing = "NoSuchKey: The specified key does not exist."
            raise Failure(f"{NOT_DOWNLOADED}Unable to download object {uri} ({missing})") from None
        except (tarfile.TarError, EOFError, OSError) as error:
            raise Failure(f"{NOT_DOWNLOADED}Unable to extract {uri} ({error})") from None
        for path in target.rglob("*"):
            self.adapt(path)

    def adapt(self, path: Path) -> None:
        """Make the paths of the container real in a file of code."""
        if path.suffix not in CODE_FILES or path.is_symlink() or not path.is_file():
            return
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return
        path.write_bytes(self.real(text).encode("utf-8"))

    def start(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        line: Line,
        folder: str = OPT_ML,
        *,
        with_xgboost: bool = False,
    ) -> None:
        """Run a program; a command that begins with any Python gets that of the lab.

        line: called with each line of output, from a thread of its own.
        folder: where in the container it starts.
        with_xgboost: a script that may find XGBoost imported.

        Raises:
            Failure: no process can have such arguments or variables.
        """
        program = [self.real(part) for part in command]
        if PYTHON_NAME.fullmatch(posixpath.basename(program[0])):
            program[0] = sys.executable
        environment = self._environment()
        environment |= {name: self.real(value) for name, value in variables.items()}
        where = self.inside(folder)
        try:
            where.mkdir(parents=True, exist_ok=True)
            self._work = Work(
                program,
                where,
                environment,
                lambda text: line(self.told(text)),
                with_xgboost=with_xgboost,
            )
        except (OSError, ValueError) as error:
            raise Failure(f"ClientError: The program cannot be started: {error}") from error

    def _environment(self) -> dict[str, str]:
        """What every program has: the lab's own Python, and nothing of the user's settings."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._scratch),
            "TMPDIR": str(self._scratch),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",  # several jobs share few processors
            "PIP_NO_INDEX": "1",  # a program must not change the Python of the lab
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code, or None if the program still runs after `seconds`."""
        return self._work.wait(seconds) if self._work else 0

    def stop(self, grace: float = GRACE) -> None:
        """SIGTERM, and SIGKILL after `grace` real seconds."""
        if self._work:
            self._work.stop(grace)

    def kill(self) -> None:
        if self._work:
            self._work.kill()

    def remove(self) -> None:
        """End the program if it still runs, and give its disk space back."""
        self.kill()
        self.wait(10)
        remove_folder(self._base)

    def text_of(self, path: str) -> str:
        """The content of a file that the program may have written; empty if it has not."""
        try:
            return self.told(self.inside(path).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return ""


def within(folder: Path, relative: str) -> Path:
    """A path below a folder.

    Raises:
        ValueError: it would lie outside of it.
    """
    place = Path(os.path.normpath(folder / relative.lstrip("/")))
    if not place.is_relative_to(folder) or place == folder:
        raise ValueError(f"{relative} is no path below the folder")
    return place


def printable(line: str) -> str:
    """A line as CloudWatch Logs shows it: SageMaker's log agent writes a tab as `#011`."""
    return CONTROL.sub(lambda found: f"#{ord(found[0]):03o}", line)


def credentials(account: str, region: str, role_arn: str) -> dict[str, str]:
    """The variables by which a program calls the lab as its role; none in an embedded lab."""
    if served.address is None:
        return {}
    session = sts_backends[account][get_partition(region)].assume_role(
        region, "SageMaker", role_arn, "", SESSION, ""
    )
    return {
        "AWS_ENDPOINT_URL": served.address,
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }


# --- data in and out ------------------------------------------------------------------------------

NOT_DOWNLOADED = "ClientError: Data download failed:"
NOT_UPLOADED = "ClientError: Artifact upload failed:"


def listed(uri: str, data_type: str = "S3Prefix") -> list[Item]:
    """The objects that a data source names.

    data_type: `S3Prefix`, or `ManifestFile`: the object at the URI lists them.

    Raises:
        objects.NotFound: the bucket, or the manifest, does not exist.
        Failure: the manifest is none.
    """
    if data_type == "ManifestFile":
        return manifest(uri)
    bucket, prefix = objects.split(uri)
    pairs = [(f"s3://{bucket}/{key}", below(prefix, key)) for key in objects.keys(uri)]
    return [(address, path) for address, path in pairs if path]  # the folder itself has none


def below(prefix: str, key: str) -> str:
    """The path that an object gets in its channel: what follows the folder that the prefix names.

    A prefix that is the whole key, or ends within a name, counts up to its last slash.
    """
    rest = key.removeprefix(prefix)
    if prefix and not prefix.endswith("/") and not rest.startswith("/"):
        return prefix.rpartition("/")[2] + rest
    return rest.lstrip("/")


def manifest(uri: str) -> list[Item]:
    """The objects of a manifest: `[{"prefix": "s3://…/"}, "relative/path", …]`."""
    try:
        first, *paths = json.loads(objects.read(uri))
        prefix = first["prefix"]
        return [(prefix + path, path) for path in paths]
    except (ValueError, TypeError, KeyError) as error:
        raise Failure(f"{NOT_DOWNLOADED}{uri} is not a manifest file ({error})") from None


def archive(folders: Iterable[Path]) -> bytes | None:
    """A tar.gz of what the folders hold, the same for the same files; None if that is nothing.

    Where two hold a file of the same name, the first counts.
    """
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            paths.setdefault(path.relative_to(folder).as_posix(), path)
    if not paths:
        return None
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for name, path in sorted(paths.items()):
            add(tar, name, path)
    return packed.getvalue()


def add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tar.gettarinfo(path, arcname=name)
    if entry is None:  # a socket
        return
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    if entry.isreg():
        with path.open("rb") as content:
            tar.addfile(entry, content)
    else:
        tar.addfile(entry)


def upload(region: str, uri: str, content: bytes) -> None:
    """Store what a job has made.

    Raises:
        Failure: the bucket does not exist, or not in the job's Region.
    """
    bucket = find_bucket(objects.split(uri)[0])
    problem = None
    if bucket is None:
        problem = "NoSuchBucket: The specified bucket does not exist"
    elif bucket.region_name != region:
        problem = "BucketRegionError: bucket must be in the same region as the job"
    if problem:
        raise Failure(f"{NOT_UPLOADED}Unable to upload file to {uri} ({problem})")
    objects.write(uri, content)


class Mirror:
    """A folder that is kept equal to a prefix of S3, as CheckpointConfig asks for.

    Files that are deleted in the folder stay in S3.
    """

    IGNORED = ".sagemaker-ignore"  # the ending of files that are still being written

    def __init__(self, region: str, uri: str) -> None:
        self._region = region
        self._uri = uri.rstrip("/") + "/"
        self._stored: dict[Path, tuple[int, int]] = {}

    def fetch(self, container: Container, folder: str) -> None:
        """Bring what is in S3 into the folder; a bucket that is not there holds nothing."""
        try:
            container.download(listed(self._uri), folder)
        except objects.NotFound:
            return
        self._stored |= dict(stamps(container.inside(folder)))

    def push(self, folder: Path) -> None:
        """Store the files that are new or changed.

        Raises:
            Failure: the bucket does not exist, or not in the job's Region.
        """
        for path, stamp in stamps(folder):
            if self._stored.get(path) == stamp or path.name.endswith(self.IGNORED):
                continue
            try:
                content = path.read_bytes()
            except OSError:  # gone in the meantime
                continue
            upload(self._region, self._uri + path.relative_to(folder).as_posix(), content)
            self._stored[path] = stamp


def stamps(folder: Path) -> list[tuple[Path, tuple[int, int]]]:
    """The files of a folder, each with the time of its last change and its size."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue
        if path.is_file():
            found.append((path, (status.st_mtime_ns, status.st_size)))
    return found
