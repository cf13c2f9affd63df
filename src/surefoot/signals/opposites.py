"""Words that turn a statement round when one stands for the other."""

from __future__ import annotations

from functools import lru_cache

from surefoot.signals.text import key

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
permanent temporary; voluntary mandatory; optional required;
simple complex; simple complicated; easy difficult; easy hard; limited abundant; limited unlimited; unlimited restricted;
scarce abundant; diverse uniform; efficient wasteful; novel conventional; new existing; known unknown; future past; current
former; present past; next previous; upper lower; top bottom; front back; local global; domestic foreign; national
international; urban rural; senior junior; major minor; primary secondary; partial complete; partial full; part whole; single
multiple; single married; separate joint; individual collective; active passive; direct indirect; formal informal; natural
artificial; mental physical; oral written; online offline; wet dry; clean dirty; smooth rough; soft hard; thick thin; wide
narrow; deep shallow; near far; close distant; visible hidden; famous unknown; popular unpopular; friend enemy; ally enemy;
ally rival; victory defeat; won lost; birth death; born died; married divorced; praise criticize; praise criticise; criticize
defend; blame thank; confirm deny; admit deny; deny accept; affirm deny; prove disprove; encourage discourage; help hinder;
help harm; protect endanger; save spend; save waste; earn spend; spend receive; create destroy; build demolish; construct
demolish; produce consume; supply demand; question answer; ask answer; teach learn; speak listen; read write; lead follow;
precede follow; continue stop; start stop; begin stop; resume pause; keep discard; retain lose; attract repel; attach detach;
connect disconnect; combine separate; merge split; unite divide; gather scatter; lock unlock; load unload; install uninstall;
activate deactivate; upload download; deposit withdraw; lose find; appear disappear; float sink; freeze melt; heat cool;
gain loss; growth decline; increase decline; increase reduce; rise decline; grow decline; raise cut; boost reduce; boost
hurt; optimistic pessimistic; happy sad; happy unhappy; pleased upset; calm anxious; confident unsure; brave afraid; proud
ashamed; interested bored; friendly hostile; polite rude; honest dishonest; generous selfish; wise foolish; smart stupid;
beautiful ugly; innocent culpable; acquit convict; convicted acquitted; arrest release; free captive; majority minority;
maximize minimize; maximise minimise; maximum least; increase halve; double halve; entirely partially; fully partly; mostly
rarely; often rarely; often seldom; usually rarely; frequently rarely; always rarely; always sometimes; everyone nobody;
everything nothing; everybody nobody; both neither; sufficient insufficient; enough lack; success loss; benefit harm;
advantage disadvantage; strength weakness; asset liability; effective useless; useful useless; harmful harmless; careful
careless; hopeful hopeless; painful painless; boy girl; king queen; uncle aunt; nephew niece; brother sister; actor actress;
he she; his her; him her; landlord tenant; guest host; winner loser; predator prey; victim perpetrator; client provider;
manager employee; boss subordinate; parent child; mother daughter; father son; mother son; father daughter
"""


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _PAIRS.split(";"):
        one, other = (key(word) for word in pair.split())
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES = _table()
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "ex-", "non-", "anti-")
_SHORTEST = 4


@lru_cache(50_000)
def opposites(word: str) -> frozenset[str]:
    """The keys of words that say the opposite of a word."""
    bare = [word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)]
    known = OPPOSITES.get(word, frozenset())
    if len(word) < _SHORTEST or not word.isalpha():
        return known.union(each for each in bare if len(each) >= _SHORTEST)
    return known.union((each for each in bare if len(each) >= _SHORTEST), (prefix + word for prefix in _PREFIXES))
