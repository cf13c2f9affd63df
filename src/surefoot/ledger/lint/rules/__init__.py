"""The rules of prompt lint, a file each or two. A rule looks at a feature's traffic and yields hits and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from surefoot.ledger.lint.findings import Hit, Note
from surefoot.ledger.lint.rules.alike import duplicate_passage, repeated_rule
from surefoot.ledger.lint.rules.cacheable import no_cache_mark, too_short_to_cache
from surefoot.ledger.lint.rules.changing import unstable_order, volatile
from surefoot.ledger.lint.rules.history import long_history
from surefoot.ledger.lint.rules.tools import uncalled_tool
from surefoot.ledger.lint.rules.unused import unused_segment
from surefoot.ledger.lint.rules.whitespace import whitespace
from surefoot.ledger.lint.traffic import Traffic

RULES: Mapping[str, Callable[[Traffic], Iterator[Hit | Note]]] = {
    "volatile": volatile,
    "unstable-order": unstable_order,
    "no-cache-mark": no_cache_mark,
    "too-short-to-cache": too_short_to_cache,
    "unused-segment": unused_segment,
    "duplicate-passage": duplicate_passage,
    "uncalled-tool": uncalled_tool,
    "repeated-rule": repeated_rule,
    "long-history": long_history,
    "whitespace": whitespace,
}
