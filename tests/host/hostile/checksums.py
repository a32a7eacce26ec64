"""What every table of the platform holds, as one number each; so that whatever a plugin spoils is found out by the table's name.

Left out is only what is meant to change when a plugin misbehaves, each with its reason.
"""

from collections.abc import Callable
from typing import Any

Ask = Callable[..., list[tuple[Any, ...]]]
Sums = dict[str, tuple[int, str]]  # table -> rows, and a hash over all of them

MEANT_TO_CHANGE = {
    "ts.plugin": "the plugin is stopped, with the reason",
    "ts.plugin_fault": "what it did is written down",
    "ts.plugin_minute": "its calls are counted",
    "ts.plugin_process": "processes report every second",
    "ts.number_series": "numbers are taken in blocks by a transaction of their own; gaps are allowed",
}
TABLES = """SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND (n.nspname IN ('ts', 'auth', 'jobs') OR starts_with(n.nspname, 'plugin_')) ORDER BY 1"""


def checksums(ask: Ask, leave_out: str = "") -> Sums:
    """Of every table but those meant to change and those of the schema `leave_out`, asked as the tables' superuser."""
    names = [name for (name,) in ask(TABLES)]
    chosen = [name for name in names if name not in MEANT_TO_CHANGE and name.partition(".")[0] != leave_out]
    hashes = "(SELECT md5(t::text) AS h FROM {0} t) rows"
    one = f"SELECT '{{0}}', count(*), md5(coalesce(string_agg(h, '' ORDER BY h), '')) FROM {hashes}"
    found = ask(" UNION ALL ".join(one.format(name) for name in chosen))
    return {name: (count, digest) for name, count, digest in found}


def changed(before: Sums, after: Sums) -> list[str]:
    """The tables that are not what they were."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
