"""What forbids that one question gets another's answer by likeness alone: no cosine sees "enable" turn into "disable"."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from surefoot.review.differences import Asked, Facts, differences, facts
from surefoot.signals.language import language
from surefoot.signals.likeness import likeness

GUARDED = frozenset({"number", "date", "name", "negation", "opposite", "personal", "attachment", "conversation"})

_SAME = 0.8  # likeness from which on two answers in prose say the same, when no guard says otherwise


class Witness(Struct, frozen=True):
    """A question as the guards need it; packed, it lies beside its vector."""

    facts: Facts
    language: str  # "" for unknown


def witness(text: str) -> Witness:
    """What the guards need of a question."""
    return Witness(facts(Asked(id="", text=text)), language(text))


def pack(vector: bytes, seen: Witness) -> bytes:
    """A vector and the facts beside it, as the store keeps them."""
    return msgspec.msgpack.encode((vector, _packed(seen)))


def unpack(stored: bytes) -> tuple[bytes, bytes]:
    """(vector, packed facts) that `pack` was given."""
    return _PAIR.decode(stored)


def read_witness(stored: bytes) -> Witness:
    """The facts that `unpack` gave."""
    return _WITNESS.decode(stored)


_packed = msgspec.msgpack.Encoder().encode
_PAIR = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_WITNESS = msgspec.msgpack.Decoder(Witness)


def same_answer(one: str, other: str) -> bool:
    """Whether two answers say the same: the agreement check, and in prose nothing that a guard sees may differ.

    Two texts that cannot be compared are not the same: that only costs hits.
    """
    alike = likeness(one, other)
    if alike is None or alike < _SAME:
        return False
    return alike == 1.0 or not veto(facts(Asked(id="", text=one)), [facts(Asked(id="", text=other))])


def veto_near(asked: Witness, known: Sequence[Witness]) -> str:
    """As `veto`; questions in two known languages do not have one answer either."""
    told = [each.language for each in known]
    if asked.language and told and all(each and each != asked.language for each in told):
        return f"language: {told[0]} / {asked.language}"
    return veto(asked.facts, [each.facts for each in known])


def veto(asked: Facts, known: Sequence[Facts]) -> str:
    """What differs from every one of an answer's questions, in words; "" when one of them differs in nothing guarded.

    Args:
        asked: of the new question.
        known: of the questions that have the answer, nearest first. () is a veto: there is nothing to be like.
    """
    first = ""
    for each in known:
        found = [difference for difference in differences(each, asked) if difference.kind in GUARDED]
        if not found:
            return ""
        first = first or str(found[0])
    return first or "no known question"
