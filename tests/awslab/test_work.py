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
from awslab.work import FORKS, Work, end_all, home, new_folder, own_folder, sweep

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
folder = new_folder("job")
(folder / "program.py").write_text(sys.argv[1])
command = [sys.executable, str(folder / "program.py")]
environment = {**os.environ, "OMP_NUM_THREADS": "1"}
forked = sys.argv[2] == "True"
Work(command, folder, environment, lambda line: print(line, flush=True), with_xgboost=forked)
time.sleep(60)
"""


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture(params=[False, True], ids=["started", "forked"])
def start(request: pytest.FixtureRequest, lines: list[str]) -> Callable[..., Work]:
    """Run a text as a program, as a new process and as a fork with XGBoost imported."""

    def begin(code: str, *arguments: str, **environment: str) -> Work:
        folder = new_folder("job")
        (folder / "program.py").write_text(code)
        command = [sys.executable, str(folder / "program.py"), *arguments]
        variables = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        return Work(command, folder, variables, lines.append, with_xgboost=request.param)

    return begin


Start = Callable[..., Work]


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


def test_lines_arrive_in_order_and_the_code_is_the_program_s(
    start: Start, lines: list[str]
) -> None:
    job = start("import sys; print('a'); print('ü', file=sys.stderr); sys.exit(3)")
    assert (job.wait(10), sorted(lines)) == (3, ["a", "ü"])


def test_it_runs_in_its_folder_which_is_private(start: Start, lines: list[str]) -> None:
    job = start("import os; print(os.getcwd())")
    job.wait(10)
    assert lines == [str(job.folder.resolve())]
    assert home() in job.folder.parents and own_folder().stat().st_mode & 0o777 == 0o700


def test_waiting_ends_with_the_patience(start: Start, lines: list[str]) -> None:
    job = start("import time; time.sleep(60)")
    assert job.wait(0.1) is None


def test_a_program_that_does_not_exist_is_a_failure(lines: list[str]) -> None:
    job = Work(["/no/such/program"], new_folder("job"), os.environ, lines.append)
    assert job.wait(10) == 127 and lines == ["/no/such/program: No such file or directory"]


def test_a_program_may_end_in_its_own_way(start: Start, lines: list[str]) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(0)))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    job = start(code)
    assert eventually(lambda: bool(lines))
    job.stop()
    assert (job.wait(10), lines) == (0, ["ready", "saved"])


def test_a_program_that_does_not_listen_is_killed_after_the_grace(
    start: Start, lines: list[str]
) -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    job = start(code)
    assert eventually(lambda: bool(lines))
    job.stop(grace=0.2)
    assert job.wait(10) == 128 + signal.SIGKILL


def test_killing_takes_the_children_along(start: Start, lines: list[str]) -> None:
    job = start(FAMILY)
    assert eventually(lambda: bool(lines))
    job.kill()
    job.wait(10)
    assert eventually(lambda: not any(alive(int(process)) for process in lines[0].split()))


def test_the_end_of_a_program_takes_its_children_along(start: Start, lines: list[str]) -> None:
    job = start(FAMILY.replace("time.sleep(60)\n", "", 1))
    job.wait(10)
    assert eventually(lambda: not alive(int(lines[0].split()[1])))


def test_a_reset_ends_everything_and_leaves_no_folder(start: Start, lines: list[str]) -> None:
    start(FAMILY)
    assert eventually(lambda: bool(lines))
    end_all()
    assert eventually(lambda: not any(alive(int(process)) for process in lines[0].split()))
    assert not (home() / str(os.getpid())).exists()


@pytest.mark.parametrize("forked", [False, True])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_program_outlives_a_lab_that_is_killed(number: int, forked: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAB, FAMILY, str(forked)], stdout=subprocess.PIPE, text=True
    ) as lab:
        assert lab.stdout
        family = [int(process) for process in lab.stdout.readline().split()]
        lab.send_signal(number)
        lab.wait(10)
        assert eventually(lambda: not any(alive(process) for process in family))
        folder = home() / str(lab.pid)
    sweep()
    assert not folder.exists()


def test_no_program_outlives_its_keeper(start: Start, lines: list[str]) -> None:
    job = start("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
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


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks programs")


def fork_server() -> int:
    assert FORKS._process
    return FORKS._process.pid


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@linux
def test_a_fork_comes_from_the_fork_server_and_others_do_not(
    lines: list[str], start: Start
) -> None:
    job = start("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    assert eventually(lambda: bool(lines))
    from_keeper = parent(int(lines[0])) == job.process_id
    from_server = FORKS._process is not None and parent(parent(int(lines[0]))) == fork_server()
    assert (from_keeper, from_server) in [(True, False), (False, True)]


def test_a_program_gets_its_arguments_and_nothing_but_its_own_variables(
    start: Start, lines: list[str]
) -> None:
    start("import os, sys; print(sys.argv[1:], os.environ['OF_IT'])", "a", "b c", OF_IT="x").wait(
        20
    )
    assert lines == ["['a', 'b c'] x"]
    start("import os; print('OF_IT' in os.environ)").wait(20)
    assert lines[1:] == ["False"]


def test_a_traceback_shows_the_program_alone(start: Start, lines: list[str]) -> None:
    job = start("def fail():\n    raise ValueError('no')\n\nfail()\n")
    assert job.wait(20) == 1
    path = job.folder / "program.py"
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{path}", line 4, in <module>'
    assert lines[-1] == "ValueError: no"
    assert sum(line.startswith("  File") for line in lines) == 2


def test_forks_share_no_random_numbers(start: Start, lines: list[str]) -> None:
    code = "import numpy, random; print(numpy.random.random(), random.random())"
    for job in [start(code), start(code)]:
        job.wait(20)
    assert len(set(" ".join(lines).split())) == 4


def test_a_fork_can_still_import_scikit_learn(start: Start, lines: list[str]) -> None:
    start("from sklearn.model_selection import KFold; print(KFold.__name__)").wait(60)
    assert lines == ["KFold"]


@linux
def test_programs_start_all_the_same_when_the_fork_server_has_been_killed(
    start: Start, lines: list[str]
) -> None:
    start("pass").wait(20)
    if FORKS._process:
        os.kill(fork_server(), signal.SIGKILL)
        FORKS._process.wait()
    for _ in range(3):
        assert start("print('up')").wait(20) == 0
    assert lines == ["up"] * 3


@linux
def test_the_end_of_the_fork_server_takes_its_forks_along(lines: list[str]) -> None:
    folder = new_folder("job")
    (folder / "program.py").write_text(FAMILY)
    command = [sys.executable, str(folder / "program.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    job = Work(command, folder, environment, lines.append, with_xgboost=True)
    assert eventually(lambda: bool(lines))
    os.kill(fork_server(), signal.SIGKILL)
    assert job.wait(20) == 128 + signal.SIGKILL
    assert eventually(lambda: not any(alive(int(process)) for process in lines[0].split()))


def test_other_settings_than_those_that_xgboost_was_imported_with_need_a_new_process() -> None:
    with Path(os.devnull).open("w") as nothing:
        asked = FORKS.ask(["python"], Path("/"), {"OMP_NUM_THREADS": "2"}, nothing.fileno())
    assert asked is None


def test_a_program_that_is_killed_at_once_is_dead_at_once(start: Start) -> None:
    """Whatever its keeper and the fork server have come to by then."""
    for pause in range(30):
        job = start("import time; time.sleep(60)")
        time.sleep(pause / 1000)
        began = time.monotonic()
        job.kill()
        assert job.wait(10) is not None
        assert time.monotonic() - began < 5
