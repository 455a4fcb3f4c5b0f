"""`python -m awslab run EXAMPLE` and `python -m awslab serve`."""

import argparse
import contextlib
import gc
import sys
from collections.abc import Iterator

from awslab.clock import FASTEST
from awslab.scenarios import NoSuchExample


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """What is imported stays: looking for garbage among it takes a third of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


def speed(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {FASTEST:g}")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="awslab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run an example on an empty lab in this process")
    run.add_argument("example", help="for example s3_gateway_endpoint/create_endpoint")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    serve = commands.add_parser("serve", help="serve the lab on 127.0.0.1")
    serve.add_argument("--port", type=port, default=5000, help="0: any free port")
    serve.add_argument(
        "--speed", type=speed, help=f"of the clock: 0 (stopped) to {FASTEST:g}; default: instant"
    )
    serve.add_argument("--quiet", action="store_true", help="do not show the calls")
    commands.add_parser("table", help="write what the lab adds into README.md and operations.json")
    options = parser.parse_args()
    # Imported late: `--help` and a wrong name answer without loading moto.
    try:
        if options.command == "run":
            from awslab.scenarios import scenario

            scenario(options.example)
            from awslab.run import run_on_embedded_lab

            return run_on_embedded_lab(options.example, options.arguments)
    except NoSuchExample as error:
        print(error, file=sys.stderr)
        return 1
    if options.command == "serve":
        try:
            with quick_imports():
                from awslab.server import serve as serve_lab
        except KeyboardInterrupt:
            return 130  # as a shell says it

        status = serve_lab(options.port, options.speed, quiet=options.quiet)
        gc.unfreeze()  # or DuckDB complains at the end about what it finds left
        return status
    from awslab.readme import write_tables

    write_tables()
    return 0


if __name__ == "__main__":
    sys.exit(main())
