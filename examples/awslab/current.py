"""What each thread of the lab is serving right now."""

import threading


class Current(threading.local):
    """The request that this thread serves; empty outside of one."""

    depth: int = 0
    user_agent: str = ""


current = Current()


class Served:
    """Where the lab listens.

    address: `http://127.0.0.1:<port>`; None: it is embedded, and no other process reaches it.
    """

    address: str | None = None


served = Served()


def comes_from_waiter() -> bool:
    """Whether the request is a poll by an SDK's waiter: botocore and the AWS CLI say so in the
    User-Agent, as feature `B`."""
    for part in current.user_agent.split():
        if part.startswith("m/"):
            return "B" in part[2:].split(",")
    return False
