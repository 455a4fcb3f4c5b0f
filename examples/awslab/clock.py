"""The lab's clock, and what goes through states as time passes.

The clock has three gaits. `instant` (the default): waits last no time, and something in progress
shows one of its states to each look, so that the same calls always meet the same states. Frozen
(`speed=0`): time moves by `advance` only. Running (`speed=60`): sixty times as fast as the wall.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from awslab.current import comes_from_waiter
from awslab.extension import on_reset

# How long one look waits for real work in the instant gait; a waiter's look waits longer.
PATIENCE = 5.0
WAITER_PATIENCE = 50.0
TICK = 60.0  # seconds of the lab: no alarm, schedule or policy of AWS looks more often
BEAT = 0.25  # real seconds between two ticks of a running clock
FASTEST = TICK / BEAT  # the speed at which each minute still has its tick

Step = Callable[[], None]


class Clock:
    """The time of the lab, the same for every account and Region."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._every_tick: list[Step] = []
        self.run(None)

    def run(self, speed: float | None) -> None:
        """Start anew at the wall's time: `None` is instant, 0 frozen, n runs n times as fast."""
        with self._lock:
            self.speed = speed
            self._origin = time.time()
            self._skipped = 0.0

    def go_on(self, speed: float | None) -> None:
        """Change the gait without a jump in time."""
        with self._lock:
            at = self.now().timestamp()
            self.run(speed)
            self._skipped = at - self._origin

    @property
    def instant(self) -> bool:
        return self.speed is None

    def now(self) -> datetime:
        with self._lock:
            passed = (time.time() - self._origin) * (1.0 if self.speed is None else self.speed)
            return datetime.fromtimestamp(self._origin + passed + self._skipped, UTC)

    def every_tick(self, step: Step) -> Step:
        """Register what happens by itself: alarms, schedules, deliveries. Called at least once in
        each minute of the lab's time that `advance` skips, and steadily while the clock runs."""
        self._every_tick.append(step)
        return step

    def steps(self) -> list[Step]:
        return list(self._every_tick)

    def tick(self) -> None:
        for step in self.steps():
            step()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, minute by minute, so that nothing on the way is missed."""
        tick = max(TICK, seconds / 2_000)
        while seconds > 0:
            with self._lock:
                self._skipped += min(tick, seconds)
            seconds -= tick
            self.tick()


CLOCK = Clock()
on_reset(lambda: CLOCK.run(CLOCK.speed))


def now() -> datetime:
    """The lab's time, with its zone (UTC)."""
    return CLOCK.now()


def naive_now() -> datetime:
    """The same without a zone, as moto's own models keep times."""
    return CLOCK.now().replace(tzinfo=None)


@dataclass
class Stage:
    """One state on the way.

    seconds: how long it lasts at least, on the lab's clock.
    work: asked with a number of real seconds it may wait; true when the real work of the stage is
        done. A stage without work ends with its time.
    begin: called when the stage is entered.
    """

    name: str
    seconds: float = 0.0
    work: Callable[[float], bool] | None = None
    begin: Step | None = None


@dataclass
class Course:
    """The stages that something goes through, from the first to the last, which stays.

    `look` belongs into every Describe and List of the thing; `keep_up` into whatever else depends
    on where it stands, and into a tick.
    """

    stages: list[Stage]
    position: int = 0
    entered: datetime = field(default_factory=now)
    _shown: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _working: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        first = self.stages[0]
        if first.begin:
            first.begin()

    @property
    def stage(self) -> str:
        return self.stages[self.position].name

    @property
    def ended(self) -> bool:
        return self.position == len(self.stages) - 1

    def look(self) -> str:
        """The state that this look meets. Instant: each look meets the next one, and the look of
        an SDK's waiter the last. Otherwise: where the clock has brought it."""
        if not CLOCK.instant:
            self.keep_up()
        elif comes_from_waiter():
            while self._pass(WAITER_PATIENCE):
                pass
        elif self._shown:
            self._pass(PATIENCE)
        with self._lock:
            self._shown = True
            return self.stage

    def keep_up(self) -> None:
        """Go on as far as the clock says; nothing in the instant gait."""
        while not CLOCK.instant:
            with self._lock:
                if self.ended:
                    return
                due = self.entered + timedelta(seconds=self.stages[self.position].seconds)
            patience = PATIENCE if CLOCK.speed == 0 else 0.0
            if due > now() or not self._pass(patience, due):
                return

    def divert(self, stages: list[Stage]) -> None:
        """Leave the way: go through these stages instead, from now on."""
        with self._lock:
            self.position = 0  # first, so that a reader meets no position beyond the stages
            self.stages, self.entered, self._shown = stages, now(), False
            if stages[0].begin:
                stages[0].begin()

    def _pass(self, patience: float, due: datetime | None = None) -> bool:
        """Enter the next stage; false at the end, and when the work is not done."""
        with self._lock:
            stages, position = self.stages, self.position
            if self.ended:
                return False
        work = stages[position].work
        if work:
            # Nobody else works meanwhile, but whoever stops it with `divert` need not wait.
            with self._working:
                if self._is_at(stages, position) and not work(patience):
                    return False
        with self._lock:
            if not self._is_at(stages, position):  # the work, or somebody else, has led it on
                return True
            self.position += 1
            # Real work may end later than the clock's time is due.
            self.entered = now() if work or due is None else due
            self._shown = False
            begin = self.stages[self.position].begin
            if begin:
                begin()
            return True

    def _is_at(self, stages: list[Stage], position: int) -> bool:
        return self.stages is stages and self.position == position
