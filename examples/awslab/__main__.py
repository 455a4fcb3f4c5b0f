"""`python -m awslab run EXAMPLE` and `python -m awslab serve`."""

import argparse
import sys
from pathlib import Path

from awslab.scenarios import NoSuchExample


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="awslab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run an example on an empty lab in this process")
    run.add_argument("example", help="for example s3_gateway_endpoint/create_endpoint")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    serve = commands.add_parser("serve", help="serve the lab on 127.0.0.1")
    serve.add_argument("--port", type=port, default=5000, help="0: any free port")
    commands.add_parser("table", help="write the table of what the lab adds into README.md")
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
        from awslab.server import serve as serve_lab

        return serve_lab(options.port)
    from awslab.readme import write_table

    write_table(Path(__file__).parent / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
