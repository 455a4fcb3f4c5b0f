"""`smcli`, and `python -m smcli`."""

import sys


def start() -> None:
    """Ctrl-C ends the program without a traceback, even while it is still being imported."""
    try:
        from smcli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    start()
