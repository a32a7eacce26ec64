"""`python -m core.cli`: the same as the console script `tongshang`."""

from core.cli import main

main()
