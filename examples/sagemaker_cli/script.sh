#!/usr/bin/env bash
# The CLI without installing it; PYTHON names an interpreter that has boto3, click and tabulate.
export PYTHONPATH="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m smcli "$@"
