"""`python -m smcli`."""

from smcli.main import main

main()
