#!/usr/bin/env bash
# The CLI without installing it; PYTHON names an interpreter with the packages of pyproject.toml.
export PYTHONPATH="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m smcli "$@"
