import asyncio
import http.server
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xgboost
from awslab.run import Result

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def loads(load: Load) -> ModuleType:
    return load("send_load")


@pytest.fixture
def slow_server() -> Iterator[tuple[int, list[float]]]:
    """A server that answers one request after the other, each in 50 ms, and when they came."""
    came: list[float] = []
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(time.monotonic())
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                time.sleep(0.05)
            self.send_response(200)
            self.send_header("X-Model-Version", "v1")
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(body[:1])

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port, came
        server.shutdown()


def test_the_schedule_is_known_beforehand(loads: ModuleType) -> None:
    first, again, other = (
        list(itertools.islice(loads.due_times(50, seed), 5000)) for seed in (1, 1, 2)
    )
    assert first == again != other
    gaps = np.diff(first)
    assert gaps.min() > 0
    assert np.mean(gaps) == pytest.approx(1 / 50, rel=0.05)
    assert np.std(gaps) == pytest.approx(1 / 50, rel=0.1)  # as independent callers come


def test_percentiles_of_the_histogram_are_right_to_a_bucket(loads: ModuleType) -> None:
    chance = random.Random(0)
    seconds = [chance.lognormvariate(-5, 1) for _ in range(4000)]
    histogram = Counter(map(loads.bucket, seconds))
    for share in (0.5, 0.9, 0.99, 1):
        wanted = 1000 * float(np.quantile(seconds, share, method="inverted_cdf"))
        assert wanted <= loads.percentile(histogram, share) <= 1.0501 * wanted
    assert np.isnan(loads.percentile(Counter(), 0.5))
    assert loads.bucket(0) == 0
    assert loads.bucket(0.0001) == 0
    assert loads.bucket(0.000101) == 1


def send(loads: ModuleType, port: int, rate: float, count: int, **more: Any) -> Any:
    answers: list[dict[str, Any]] = []
    rows = [("1,x", 1), ("0,x", 1)]
    go_on = lambda number, due: number < count  # noqa: E731
    start = time.monotonic()
    asyncio.run(loads.send(port, rows, rate, 1, answers, go_on, start, **more))
    return answers, start


def test_requests_are_sent_when_they_are_due_and_waiting_counts(
    loads: ModuleType, slow_server: tuple[int, list[float]]
) -> None:
    port, came = slow_server
    answers, start = send(loads, port, 60, 60)  # three times what the server can do
    due = list(itertools.islice(loads.due_times(60, 1), 60))
    assert sorted(answer["due"] for answer in answers) == due
    delays = [at - start - wanted for at, wanted in zip(sorted(came), due, strict=True)]
    assert float(np.median(delays)) < 0.2  # not after the answers, which take 3 seconds
    waits = [answer["done"] - answer["due"] for answer in answers]
    assert max(waits) > 60 * 0.05 - due[-1] - 0.01
    assert Counter(answer["right"] for answer in answers) == {True: 30, False: 30}
    assert {(answer["status"], answer["version"]) for answer in answers} == {(200, "v1")}


def test_a_closed_loop_does_not_see_the_queue(
    loads: ModuleType, slow_server: tuple[int, list[float]]
) -> None:
    port, _ = slow_server
    answers, _ = send(loads, port, 60, 30, closed=True)
    waits = sorted(answer["done"] - answer["due"] for answer in answers)
    assert len(waits) == 30
    assert waits[14] < 0.15


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0.5",
        b"nonsense",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nred",
    ],
)
def test_broken_answers_are_failures(loads: ModuleType, sent: bytes) -> None:
    async def count() -> list[dict[str, Any]]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            answers: list[dict[str, Any]] = []
            go_on = lambda number, due: number < 2  # noqa: E731
            await loads.send(port, [("1", 1)], 100, 1, answers, go_on, time.monotonic())
        return answers

    answers = asyncio.run(count())
    assert len(answers) == 2
    assert not any(answer["right"] for answer in answers)
    assert all(answer["status"] == (200 if b"red" in sent else 0) for answer in answers)


def test_an_answer_that_never_comes(loads: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "TIMEOUT", 0.3)

    async def count() -> list[dict[str, Any]]:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            answers: list[dict[str, Any]] = []
            go_on = lambda number, due: number < 3  # noqa: E731
            await loads.send(port, [("1", 1)], 100, 1, answers, go_on, time.monotonic())
        return answers

    answers = asyncio.run(count())
    assert [answer["status"] for answer in answers] == [0, 0, 0]


def test_counts_of_intervals(loads: ModuleType) -> None:
    def answer(due: float, status: int = 200, version: str = "v1") -> dict[str, Any]:
        return {"due": due, "status": status, "version": version}

    answers = [answer(0.9), answer(1), answer(1.2, 500, "v2"), answer(1.6, 200, "v2")]
    answers += [answer(1.7, 0, ""), answer(2), answer(1.5, 200, "v9")]
    table = loads.per_interval(answers, ["v1", "v2"], 1, 2, 0.5)
    assert table == {
        "columns": ["second", "v1", "v2", "failed"],
        "rows": [[0.25, 1, 0, 1], [0.75, 0, 1, 1]],
    }


def test_load_on_a_server_of_its_own(
    run: Run, data: Path, tmp_path: Path, launched: list[int], alive: Callable[[int], bool]
) -> None:
    model, file = data / "models" / "v1.json", data / "binary" / "validation.csv"
    arguments = ["--model", model, "--file", file, "--rate", 100, "--seconds", 2]
    arguments += ["--json", tmp_path / "counts.json"]
    result = run("send_load", *map(str, arguments))
    assert (result.status, result.errors) == (0, "")
    sent, statuses, latency = result.output.splitlines()
    number = int(sent.split()[0])
    assert 150 < number < 250 and sent.endswith("requests, 100 a second on average")
    table = np.loadtxt(file, delimiter=",")
    likely = xgboost.Booster(model_file=model).predict(xgboost.DMatrix(table[:, 1:])) >= 0.5
    right = np.resize(likely == table[:, 0], number).sum()
    assert statuses == f"status 200: {number}, failed: 0, right: {right}"
    assert latency.startswith("latency in ms, from the due time: p50 ")
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert counts["columns"] == ["second", "v1", "failed"]
    assert len(counts["rows"]) == 2
    assert sum(row[1] for row in counts["rows"]) == number
    assert launched and not any(map(alive, launched))


def latency_of(result: Result) -> dict[str, float]:
    assert (result.status, result.errors) == (0, "")
    shown = result.output.splitlines()[2].rpartition(": ")[2].split(", ")
    return {name: float(value) for name, value in (text.split() for text in shown)}


def test_a_pause_is_seen_by_an_open_loop_only(run: Run, data: Path) -> None:
    model, file = str(data / "models" / "v1.json"), str(data / "binary" / "validation.csv")
    arguments = ["--model", model, "--file", file, "--rate", "60", "--seconds", "2"]
    arguments += ["--pause", "0.8"]
    assert latency_of(run("send_load", *arguments))["p90"] > 400
    assert latency_of(run("send_load", *arguments, "--closed"))["p90"] < 400


def test_bad_input(run: Run, data: Path, tmp_path: Path) -> None:
    file = str(data / "binary" / "validation.csv")
    (tmp_path / "bad.csv").write_text("7,1,2\n")

    def said(*options: str) -> str:
        result = run("send_load", *options)
        assert result.status in (1, 2) and result.output == ""
        return result.errors.splitlines()[-1]

    assert said("--port", "1", "--file", str(tmp_path / "bad.csv")).startswith(
        f"{tmp_path / 'bad.csv'} has no label 0 or 1 in the first column of each row"
    )
    assert "No such file" in said("--port", "1", "--file", str(tmp_path / "none.csv"))
    missing = said("--model", str(tmp_path / "none.json"), "--file", file)
    assert missing.startswith("Cannot serve") and missing.endswith("is left running.")
    assert "one of the arguments" in said("--file", file)
    assert "--rate: up to 2000" in said("--port", "1", "--file", file, "--rate", "0")
    assert "--pause: less than" in said("--port", "1", "--file", file, "--pause", "1")


def test_a_server_that_does_not_answer_fails_each_request(run: Run, data: Path) -> None:
    file = str(data / "binary" / "validation.csv")
    result = run("send_load", "--port", "1", "--file", file, "--rate", "50", "--seconds", "0.5")
    number = int(result.output.split()[0])
    assert f"status 200: 0, failed: {number}, right: 0" in result.output
