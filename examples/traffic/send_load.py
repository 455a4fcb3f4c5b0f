"""Send requests at a given rate, whatever the answers, and report latency from the due time."""

import argparse
import asyncio
import json
import math
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from start_fleet import start_fleet, stop_fleet

GROWTH = 1.05  # each bucket of the histogram is so much wider: a percentile is right to 5 %
TIMEOUT = 5.0  # seconds, from the due time


def read_rows(path: Path) -> list[tuple[str, int]]:
    """Each row of a CSV without its label, and the label; raises ValueError: no label 0 or 1."""
    lines = [line.partition(",") for line in path.read_text().splitlines() if line]
    rows = [(features, int(float(label))) for label, _, features in lines]
    if not rows or any(label not in (0, 1) for _, label in rows):
        raise ValueError(f"{path} has no label 0 or 1 in the first column of each row")
    return rows


# [start: schedule]
def due_times(rate: float, seed: int) -> Iterator[float]:
    """Seconds at which requests are due, without end: random arrivals, set before any answer."""
    at, chance = 0.0, random.Random(seed)
    while True:
        at += chance.expovariate(rate)
        yield at


# [end: schedule]


async def invoke(port: int, body: str, identity: str) -> tuple[int, str, str]:
    """Status, version and text of one answer, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
            f"X-Request-Id: {identity}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )
        head, _, text = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in lines)}
    if len(text) != int(headers["content-length"]):
        raise OSError("the answer breaks off")
    return int(first.split()[1]), headers.get("x-model-version", ""), text


# [start: send]
async def send(
    port: int,
    rows: list[tuple[str, int]],
    rate: float,
    seed: int,
    answers: list[dict[str, Any]],
    go_on: Callable[[int, float], bool],
    start: float,
    closed: bool = False,
) -> None:
    """Send to 127.0.0.1 while `go_on(number, due)`; each answer is appended as it comes.

    `due` and `done` are seconds from `start`, a time of `time.monotonic()`. Status 0: no whole
    answer within 5 seconds. `closed`: a request waits for the answer before, and is due then.
    """

    async def one(number: int, due: float) -> None:
        body, label = rows[number % len(rows)]
        answer = {"due": due, "status": 0, "version": "", "right": None}
        try:
            async with asyncio.timeout(TIMEOUT):
                answer["status"], answer["version"], text = await invoke(
                    port, body, f"{seed}-{number}"
                )
            if answer["status"] == 200:
                answer["right"] = (float(text) >= 0.5) == label
        except (OSError, TimeoutError, LookupError, ValueError):
            pass
        answer["done"] = time.monotonic() - start
        answers.append(answer)

    async with asyncio.TaskGroup() as running:
        for number, due in enumerate(due_times(rate, seed)):
            await asyncio.sleep(start + due - time.monotonic())
            if not go_on(number, due):
                break
            if closed:
                await one(number, max(due, time.monotonic() - start))
            else:
                running.create_task(one(number, due))


# [end: send]


# [start: histogram]
def bucket(seconds: float) -> int:
    """The number of the histogram's bucket: they grow by 5 %, from 0.1 ms on."""
    return max(0, math.ceil(math.log(max(seconds, 1e-9) / 0.0001, GROWTH)))


def percentile(histogram: Counter[int], share: float) -> float:
    """The upper end of the bucket, in ms, below which this share of the answers lies."""
    left = share * histogram.total()
    for number in sorted(histogram):
        left -= histogram[number]
        if left <= 0:
            return 0.1 * GROWTH**number
    return math.nan


# [end: histogram]


def latencies(answers: list[dict[str, Any]]) -> Counter[int]:
    """The histogram of latencies from the due time: what waited in a queue counts too."""
    return Counter(bucket(answer["done"] - answer["due"]) for answer in answers)


def per_interval(
    answers: list[dict[str, Any]], versions: list[str], start: float, count: int, width: float
) -> dict[str, list[Any]]:
    """A table of counts by due time: `second` is the middle of an interval, from `start`."""
    columns = ["second", *versions, "failed"]
    rows = [[round(width * (i + 0.5), 3), *[0] * (len(versions) + 1)] for i in range(count)]
    for answer in answers:
        place = math.floor((answer["due"] - start) / width)
        kind = answer["version"] if answer["status"] == 200 else "failed"
        if 0 <= place < count and kind in columns:
            rows[place][columns.index(kind)] += 1
    return {"columns": columns, "rows": rows}


def pause(fleet: list[dict[str, Any]], at: float, seconds: float) -> list[threading.Timer]:
    """Let the servers stand still for some seconds, as when memory is cleaned up or moved."""
    timers = []
    for after, number in ((at, signal.SIGSTOP), (at + seconds, signal.SIGCONT)):
        for instance in fleet:
            timers.append(threading.Timer(after, os.kill, (instance["process"], number)))
            timers[-1].start()
    return timers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="CSV, label 0 or 1 first")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--port", type=int, help="of a server on 127.0.0.1 that runs already")
    target.add_argument("--model", type=Path, help="starts a server for the time of the load")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0, help="stops the server for so long")
    parser.add_argument("--closed", action="store_true", help="wait for each answer, to compare")
    parser.add_argument("--json", type=Path, help="for the counts of each second")
    options = parser.parse_args()
    if not (0 < options.rate <= 2000 and 0 < options.seconds <= 600):
        parser.error("--rate: up to 2000; --seconds: up to 600")
    if options.pause and not (options.model and 0 < options.pause < options.seconds / 2):
        parser.error("--pause: less than half the --seconds, and with --model")
    timers: list[threading.Timer] = []
    fleet: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    try:
        rows = read_rows(options.file)
        if options.model:
            fleet = start_fleet(options.model, "v1", 1)
        port = fleet[0]["port"] if fleet else options.port
        settings = rows, options.rate, options.seed, answers
        go_on = lambda _, due: due < options.seconds  # noqa: E731
        if options.pause:
            timers = pause(fleet, options.seconds / 2, options.pause)
        asyncio.run(send(port, *settings, go_on, time.monotonic(), options.closed))
    except (OSError, ValueError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error) or 'Interrupted.'} No server of this program is left running.")
    finally:
        for timer in timers:
            timer.cancel()
        for instance in fleet:
            os.kill(instance["process"], signal.SIGCONT)
        stop_fleet(fleet)
    good = sum(answer["status"] == 200 for answer in answers)
    right = sum(answer["right"] is True for answer in answers)
    print(f"{len(answers)} requests, {options.rate:g} a second on average")
    print(f"status 200: {good}, failed: {len(answers) - good}, right: {right}")
    found = latencies(answers)
    shown = [f"p{100 * share:g} {percentile(found, share):.1f}" for share in (0.5, 0.9, 0.99)]
    since = "sending, each after the answer before" if options.closed else "the due time"
    print(f"latency in ms, from {since}:", ", ".join(shown))
    if options.json:
        versions = sorted({answer["version"] for answer in answers if answer["status"] == 200})
        table = per_interval(answers, versions, 0, math.ceil(options.seconds), 1)
        options.json.write_text(json.dumps(table))


if __name__ == "__main__":
    main()
