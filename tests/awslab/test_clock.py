"""The three gaits of the lab's clock, and what goes through states on it."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from awslab.clock import CLOCK, Course, Stage, now
from awslab.current import comes_from_waiter, current


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    CLOCK.run(None)
    yield
    CLOCK.run(None)


@pytest.fixture
def by_waiter() -> Iterator[None]:
    """The look comes from an SDK's waiter."""
    current.user_agent = "Boto3/1.44.5 md/Botocore#1.44.5 m/Z,b,B,E cfg/retry-mode#standard"
    yield
    current.user_agent = ""


def course() -> Course:
    return Course([Stage("Creating", 60), Stage("Baking", 300), Stage("InService")])


def test_instant_each_look_meets_the_next_state() -> None:
    going = course()
    assert [going.look() for _ in range(4)] == ["Creating", "Baking", "InService", "InService"]


def test_instant_nothing_moves_without_a_look() -> None:
    going = course()
    CLOCK.advance(3600)
    going.keep_up()
    assert going.stage == "Creating"


def test_instant_the_look_of_a_waiter_meets_the_end(by_waiter: None) -> None:
    assert course().look() == "InService"


@pytest.mark.parametrize(
    "agent", ["", "Boto3/1.44.5 m/Z,b,E", "Boto3/1.44.5 m/", "app/m/B", "Boto3/1.44.5"]
)
def test_other_callers_are_no_waiters(agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "user_agent", agent)
    assert not comes_from_waiter()


def test_frozen_time_moves_by_steps_only() -> None:
    CLOCK.run(0)
    before = now()
    assert now() == before
    CLOCK.advance(90)
    assert now() - before == timedelta(seconds=90)


def test_frozen_states_last_their_seconds() -> None:
    CLOCK.run(0)
    going = course()
    begun = going.entered
    met = []
    for step in (0, 59, 1, 299, 1):
        CLOCK.advance(step)
        met.append(going.look())
    assert met == ["Creating", "Creating", "Baking", "Baking", "InService"]
    assert going.entered - begun == timedelta(seconds=360)


def test_a_late_look_enters_each_state_at_its_own_time() -> None:
    CLOCK.run(0)
    entered = []
    going = Course(
        [
            Stage("a", 10),
            Stage("b", 20, begin=lambda: entered.append(going.entered)),
            Stage("c", begin=lambda: entered.append(going.entered)),
        ]
    )
    begun = going.entered
    CLOCK.advance(1000)
    going.look()
    assert [(at - begun).seconds for at in entered] == [10, 30]


def test_running_time_is_faster_than_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1_000_000.0]
    monkeypatch.setattr("awslab.clock.time.time", lambda: wall[0])
    CLOCK.run(60)
    begun = now()
    wall[0] += 2
    assert now() - begun == timedelta(seconds=120)


def test_a_state_with_work_ends_with_the_work() -> None:
    done = [False, True]
    going = Course([Stage("Training", work=lambda patience: done.pop(0)), Stage("Completed")])
    assert [going.look() for _ in range(3)] == ["Training", "Training", "Completed"]


def test_work_may_wait_longer_for_a_waiter_and_not_at_all_for_a_running_clock(
    request: pytest.FixtureRequest,
) -> None:
    patience = []

    def never_done(seconds: float) -> bool:
        patience.append(seconds)
        return False

    going = Course([Stage("Training", work=never_done), Stage("End")])
    going.look()
    going.look()
    request.getfixturevalue("by_waiter")
    going.look()
    CLOCK.run(1)
    going.keep_up()
    assert patience == [5.0, 50.0, 0.0]


def test_a_course_can_leave_its_way() -> None:
    going = course()
    going.look()
    begun: list[str] = []
    going.divert([Stage("RollingBack", begin=lambda: begun.append("x")), Stage("InService")])
    assert [going.look(), going.look(), begun] == ["RollingBack", "InService", ["x"]]


def test_work_that_diverts_the_course_wins() -> None:
    going: Course

    def fails(patience: float) -> bool:
        going.divert([Stage("Failed")])
        return True

    going = Course([Stage("Creating", work=fails), Stage("InService")])
    assert [going.look(), going.look(), going.ended] == ["Creating", "Failed", True]


def test_who_diverts_need_not_wait_for_the_work_that_a_look_waits_for() -> None:
    working, stopped = threading.Event(), threading.Event()

    def work(patience: float) -> bool:
        working.set()
        return stopped.wait(patience)

    going = Course([Stage("InProgress", work=work), Stage("Completed")])
    assert going.look() == "InProgress"
    seen: list[str] = []
    looker = threading.Thread(target=lambda: seen.append(going.look()))
    looker.start()
    assert working.wait(5)
    going.divert([Stage("Stopping"), Stage("Stopped")])
    assert not stopped.is_set() and looker.is_alive()
    stopped.set()
    looker.join(5)
    assert seen == ["Stopping"]


def test_what_happens_by_itself_is_asked_every_minute() -> None:
    CLOCK.run(0)
    begun, ticks = now(), []
    step = CLOCK.every_tick(lambda: ticks.append((now() - begun).seconds))
    try:
        CLOCK.advance(150)
    finally:
        CLOCK._every_tick.remove(step)
    assert ticks == [60, 120, 150]


def test_a_week_costs_a_bounded_number_of_ticks() -> None:
    CLOCK.run(0)
    ticks: list[None] = []
    step = CLOCK.every_tick(lambda: ticks.append(None))
    try:
        CLOCK.advance(7 * 86_400)
    finally:
        CLOCK._every_tick.remove(step)
    assert len(ticks) == 2_000
