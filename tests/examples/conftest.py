"""The examples have tests of their own, which run in the examples' folders."""

collect_ignore = ["consignment"]
