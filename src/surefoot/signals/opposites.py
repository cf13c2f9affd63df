"""Words that turn a statement round when one stands for the other."""

from __future__ import annotations

from surefoot.signals.text import stem

_PAIRS = """
increase decrease; rise fall; rise drop; grow shrink; gain lose; more less; more fewer; most least; high low;
higher lower; above below; over under; before after; early late; earlier later; start end; begin end; begin finish;
open close; first last; always never; all none; many few; major minor; large small; big small; long short; fast
slow; quick slow; strong weak; hot cold; warm cool; good bad; better worse; best worst; positive negative; success
failure; succeed fail; win lose; accept reject; accept refuse; allow forbid; allow ban; permit prohibit; approve
reject; agree disagree; support oppose; enable disable; include exclude; add remove; buy sell; lend borrow; give
take; give receive; send receive; arrive depart; enter leave; push pull; raise lower; expand contract; widen
narrow; accelerate slow; improve worsen; strengthen weaken; maximum minimum; more least; male female; man woman;
husband wife; father mother; son daughter; brother sister; north south; east west; left right; inside outside;
internal external; public private; legal illegal; guilty innocent; safe dangerous; healthy sick; alive dead; true
false; right wrong; correct incorrect; possible impossible; likely unlikely; common rare; old new; ancient modern;
young old; rich poor; cheap expensive; full empty; heavy light; dark light; day night; morning evening; summer
winter; employer employee; teacher student; doctor patient; plaintiff defendant; debit credit; profit loss; import
export; attack defend; love hate; remember forget; present absent; same different; similar different; together
apart; up down; on off; with without; can cannot; must may; hire fire; join quit; borrow repay; absolute relative;
permanent temporary; voluntary mandatory; optional required
"""


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _PAIRS.split(";"):
        one, other = (stem(word) for word in pair.split())
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES = _table()
