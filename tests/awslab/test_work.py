"""Real programs of the lab: they run, they are stopped, and they never outlive the lab."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from awslab import work
from awslab.work import Work, end_all, home, new_folder, own_folder, sweep

# Says its own number and that of a child, and sleeps.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
LAB = """
import os, sys, time
from awslab.work import Work, new_folder
command = [sys.executable, "-c", sys.argv[1]]
Work(command, new_folder("job"), os.environ, lambda line: print(line, flush=True))
time.sleep(60)
"""


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    end_all()


def start(code: str, lines: list[str]) -> Work:
    return Work([sys.executable, "-c", code], new_folder("job"), os.environ, lines.append)


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(process: int) -> bool:
    """Whether it runs; one that has died and is not yet buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_lines_arrive_in_order_and_the_code_is_the_program_s(lines: list[str]) -> None:
    job = start("import sys; print('a'); print('ü', file=sys.stderr); sys.exit(3)", lines)
    assert (job.wait(10), sorted(lines)) == (3, ["a", "ü"])


def test_it_runs_in_its_folder_which_is_private(lines: list[str]) -> None:
    job = start("import os; print(os.getcwd())", lines)
    job.wait(10)
    assert lines == [str(job.folder.resolve())]
    assert home() in job.folder.parents and own_folder().stat().st_mode & 0o777 == 0o700


def test_waiting_ends_with_the_patience(lines: list[str]) -> None:
    job = start("import time; time.sleep(60)", lines)
    assert job.wait(0.1) is None


def test_a_program_that_does_not_exist_is_a_failure(lines: list[str]) -> None:
    job = Work(["/no/such/program"], new_folder("job"), os.environ, lines.append)
    assert job.wait(10) == 127 and lines == ["/no/such/program: No such file or directory"]


def test_a_program_may_end_in_its_own_way(lines: list[str]) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(0)))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    job = start(code, lines)
    assert eventually(lambda: bool(lines))
    job.stop()
    assert (job.wait(10), lines) == (0, ["ready", "saved"])


def test_a_program_that_does_not_listen_is_killed_after_the_grace(lines: list[str]) -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    job = start(code, lines)
    assert eventually(lambda: bool(lines))
    job.stop(grace=0.2)
    assert job.wait(10) == 128 + signal.SIGKILL


def test_killing_takes_the_children_along(lines: list[str]) -> None:
    job = start(FAMILY, lines)
    assert eventually(lambda: bool(lines))
    job.kill()
    job.wait(10)
    assert eventually(lambda: not any(alive(int(process)) for process in lines[0].split()))


def test_the_end_of_a_program_takes_its_children_along(lines: list[str]) -> None:
    job = start(FAMILY.replace("time.sleep(60)\n", "", 1), lines)
    job.wait(10)
    assert eventually(lambda: not alive(int(lines[0].split()[1])))


def test_a_reset_ends_everything_and_leaves_no_folder(lines: list[str]) -> None:
    start(FAMILY, lines)
    assert eventually(lambda: bool(lines))
    end_all()
    assert eventually(lambda: not any(alive(int(process)) for process in lines[0].split()))
    assert not (home() / str(os.getpid())).exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_program_outlives_a_lab_that_is_killed(number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAB, FAMILY], stdout=subprocess.PIPE, text=True
    ) as lab:
        assert lab.stdout
        family = [int(process) for process in lab.stdout.readline().split()]
        lab.send_signal(number)
        lab.wait(10)
        assert eventually(lambda: not any(alive(process) for process in family))
        folder = home() / str(lab.pid)
    sweep()
    assert not folder.exists()


def test_no_program_outlives_its_keeper(lines: list[str]) -> None:
    job = start("import os, time; print(os.getpid(), flush=True); time.sleep(60)", lines)
    assert eventually(lambda: bool(lines))
    os.kill(job._process.pid, signal.SIGKILL)
    assert job.wait(10) is not None
    if sys.platform == "linux":
        assert eventually(lambda: not alive(int(lines[0])))


def test_sweeping_spares_the_labs_that_run() -> None:
    folder = own_folder()
    sweep()
    assert folder.exists()


def test_the_home_of_other_users_is_not_touched() -> None:
    assert work.home().name == f"awslab-{os.getuid()}"
