"""What runs in a fork comes back from it, or is reported; what it does to the lab stays there."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import awslab.sql
import pytest
from awslab import work
from awslab.scenarios import Scenario, Step, parse_step, scenario
from awslab.services.sagemaker.async_inference import JOBS
from awslab.services.sagemaker.container import QUEUE
from awslab.services.sagemaker.runtime import MIRRORS
from awslab.work import Work, end_all, new_folder, remove_folder

from proofs import record
from proofs.forks import Lost, Threads, in_fork
from proofs.record import Unproven, play, played_again, transcript

SLEEP = "import sys, time; print('here', flush=True); time.sleep(60)"
HERE = {"LocationConstraint": "ap-northeast-1"}


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    end_all()


def sleeper() -> Work:
    heard = threading.Event()
    command = [sys.executable, "-c", SLEEP]
    program = Work(command, new_folder("sleep"), dict(os.environ), lambda line: heard.set())
    assert heard.wait(30)
    return program


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


# --- a task ---------------------------------------------------------------------------------------


def test_the_result_comes_back_and_nothing_else() -> None:
    kept: list[int] = []

    def task() -> tuple[int, list[int]]:
        kept.append(1)
        os.environ["OF_THE_FORK"] = "1"
        return os.getpid(), kept

    process, returned = in_fork(task)
    assert process != os.getpid()
    assert (returned, kept, "OF_THE_FORK" in os.environ) == ([1], [], False)


def test_an_exception_is_raised_here() -> None:
    def task() -> None:
        raise Unproven("slug/example: why")

    with pytest.raises(Unproven, match=r"^slug/example: why$"):
        in_fork(task)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda: os._exit(0), 0),
        (lambda: os._exit(3), 3),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
    ],
    ids=["exit 0", "exit 3", "killed"],
)
def test_a_task_that_ends_its_process_is_reported(end: Callable[[], None], code: int) -> None:
    with pytest.raises(Lost, match=rf"^the process of the task has ended with {code}$"):
        in_fork(end)


def test_a_fork_leaves_the_garbage_of_its_parent() -> None:
    """What an engine of DuckDB holds cannot be freed without its threads."""
    freed: list[int] = []

    class Held:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            freed.append(os.getpid())

    def task() -> list[int]:
        Held()
        gc.collect()
        return freed

    assert gc.isenabled()
    gc.disable()
    Held()
    gc.enable()
    process, found = in_fork(lambda: (os.getpid(), task()))
    assert found == [process]
    gc.collect()
    assert freed == [os.getpid()]
    assert gc.isenabled()


def test_a_task_that_hangs_is_reported_and_killed(tmp_path: Path) -> None:
    def task() -> None:
        (tmp_path / "process").write_text(str(os.getpid()))
        threading.Event().wait()

    with pytest.raises(Lost, match=r"^no end after 0\.5 seconds$"):
        in_fork(task, seconds=0.5)
    assert not work.alive(int((tmp_path / "process").read_text()))


def test_what_cannot_be_sent_is_reported() -> None:
    with pytest.raises(Lost, match="lambda"):
        in_fork(lambda: lambda: None)


def test_an_exception_of_a_thread_is_reported() -> None:
    def task() -> int:
        thread = threading.Thread(target=lambda: [][1])
        thread.start()
        thread.join()
        return 1

    with pytest.raises(Lost, match="IndexError"):
        in_fork(task)


def test_an_exception_that_python_can_only_print_is_reported() -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("lost")

    with pytest.raises(Lost, match="ValueError"):
        in_fork(lambda: [Broken()] and 1)


# --- programs of the lab --------------------------------------------------------------------------


def test_a_program_that_a_fork_starts_ends_with_it() -> None:
    process, folder = in_fork(lambda: ((started := sleeper()).process_id, started.folder))
    assert until(lambda: not work.alive(process))
    assert not folder.exists()


def test_a_program_of_a_killed_fork_ends_too(tmp_path: Path) -> None:
    def task() -> None:
        (tmp_path / "process").write_text(str(sleeper().process_id))
        threading.Event().wait()

    with pytest.raises(Lost, match="no end"):
        in_fork(task, seconds=2)
    process = int((tmp_path / "process").read_text())
    assert until(lambda: not work.alive(process))


@pytest.mark.parametrize(
    ("end", "code"), [(lambda program: program.kill(), 137), (lambda program: program.stop(), 143)]
)
def test_a_fork_takes_an_inherited_program_for_ended_that_goes_on(
    end: Callable[[Work], None], code: int
) -> None:
    program = sleeper()

    def task() -> tuple[list[int | None], int, int]:
        before = program.wait(0)
        shown = len(work.programs())
        end(program)
        return [before, program.wait(0), program.wait()], shown, len(work.programs())

    assert in_fork(task) == ([None, code, code], 1, 0)
    assert program.wait(0.1) is None
    assert work.programs() == [program]


def test_a_fork_leaves_the_folders_of_its_parent() -> None:
    folder = new_folder("model")
    in_fork(lambda: remove_folder(folder))
    assert folder.exists()
    remove_folder(folder)
    assert not folder.exists()


def test_what_is_done_aside_gets_threads_in_a_fork() -> None:
    def done() -> int:
        return MIRRORS.submit(lambda: 1).result(30) + JOBS.submit(lambda: 1).result(30)

    assert done() == in_fork(done) == 2


def test_jobs_get_threads_in_a_fork_after_jobs_of_its_parent(lab: None) -> None:
    def job() -> bool:
        done = threading.Event()
        QUEUE.add(lambda over: done.set())
        return done.wait(30)

    assert job()
    assert until(lambda: QUEUE.idle)
    assert in_fork(job)


# --- when a fork would lack something -------------------------------------------------------------


def test_a_thread_that_has_come_since_would_be_missing() -> None:
    here, over = Threads(), threading.Event()
    assert here.are_all()
    thread = threading.Thread(target=over.wait)
    thread.start()
    quiet = here.are_all(), Threads().are_all()
    over.set()
    thread.join()
    assert quiet == (False, True)
    assert until(here.are_all)


def test_the_thread_of_a_program_that_is_no_model_server_would_be_missing() -> None:
    here = Threads()
    sleeper()
    assert not here.are_all()


def test_threads_of_jobs_would_be_missing_only_while_a_job_runs(lab: None) -> None:
    here, over = Threads(), threading.Event()

    def job(lab_over: threading.Event) -> None:
        over.wait()

    QUEUE.add(job)
    quiet = here.are_all()
    over.set()
    assert not quiet
    assert until(here.are_all)


def test_threads_of_an_engine_would_be_missing(tmp_path: Path) -> None:
    here = Threads()
    engine = awslab.sql.sealed_engine_of(tmp_path, threads="3")
    assert not here.are_all()
    engine.close()
    assert until(here.are_all)


# --- a lab that is prepared once ------------------------------------------------------------------


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the scenarios for which a lab was prepared, one each time."""
    names: list[str] = []
    prepare = record.prepare

    def count(story: Scenario, *more: Any) -> Any:
        names.append(story.name)
        return prepare(story, *more)

    monkeypatch.setattr(record, "prepare", count)
    return names


@pytest.fixture
def deleting(tmp_path: Path) -> Scenario:
    """Asks a model server that was started while the lab was prepared, deletes its endpoint, and
    writes a file that must not be there yet."""
    program = tmp_path / "write.py"
    program.write_text("open('written', 'x').close()\n")
    story = scenario("guardrails/delete_endpoint")
    asking = parse_step(
        "xgboost", "python predict.py --endpoint shop --file data/binary/validation.csv"
    )
    return replace(story, run=(asking, Step("python write.py", program, (), ()), *story.run))


def test_every_run_meets_the_lab_as_it_was_prepared(
    deleting: Scenario, prepared: list[str]
) -> None:
    fresh = play(deleting)
    assert [result.status for result in fresh.results] == [0, 0, 0]
    with played_again(deleting, fresh.places, fresh) as again:
        runs = [again(None) for _ in range(3)]
        rows = [len(run.trace.calls) for run in runs]
    assert {transcript(deleting, run) for run in runs} == {transcript(deleting, fresh)}
    assert rows == [len(fresh.trace.calls)] * 3
    assert [run.known(run.after).keys() for run in runs] == [fresh.known(fresh.after).keys()] * 3
    assert prepared == [deleting.name] * 2


def lose(task: Callable[[], Any]) -> Any:
    raise Lost("no end")


def reach_in(task: Callable[[], Any]) -> Any:
    here = Path.cwd()
    try:
        return task()
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("in_fork", "said"), [(lose, "no end"), (reach_in, "delete_alarm has changed the lab")]
)
def test_after_a_fork_that_was_lost_each_run_is_one_from_nothing(
    prepared: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    in_fork: Any,
    said: str,
) -> None:
    story = scenario("guardrails/delete_alarm")
    fresh = play(story)
    monkeypatch.setattr(record, "in_fork", in_fork)
    with played_again(story, [], fresh) as again:
        prepared.clear()
        runs = [again(None) for _ in range(2)]
    assert {transcript(story, run) for run in runs} == {transcript(story, fresh)}
    assert prepared == [story.name] * 2
    errors = capsys.readouterr().err
    assert errors.count("from now on from nothing") == 1
    assert said in errors


@pytest.mark.parametrize("reason", ["packages", "threads"])
def test_where_a_fork_would_lack_something_each_run_is_one_from_nothing(
    prepared: list[str], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    story = scenario("s3_gateway_endpoint/create_endpoint")
    if reason == "packages":
        monkeypatch.setattr(record, "third_party", lambda path: ["numpy"])
    else:
        monkeypatch.setattr(Threads, "are_all", lambda self: False)
    monkeypatch.setattr(record, "in_fork", None)
    with played_again(story, [], play(story)) as again:
        prepared.clear()
        assert len({transcript(story, again(None)) for _ in range(2)}) == 1
    assert prepared == [story.name] * 2
