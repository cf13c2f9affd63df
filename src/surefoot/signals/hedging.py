"""Refusals and hedges: an answer that says it cannot or may not be right. English phrases only."""

from __future__ import annotations

import re

_START = 200  # characters: a refusal stands at the beginning
_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:sorry|unable|not able|afraid)|i (?:can(?:no|['’])t|could not|couldn['’]t|won['’]t|will not) "
    r"(?:help|assist|answer|provide|determine|find|give|comply|do that)|as an ai\b|i (?:do not|don['’]t) have (?:access|enough|"
    r"information|any information)|(?:unable|not able|impossible|cannot be) (?:to )?(?:answer|determine|determined|provide)|"
    r"(?:passages?|context|documents?|text|information|sources?) (?:provided )?(?:do(?:es)? not|don['’]t|doesn['’]t) "
    r"(?:contain|mention|provide|say|specify|include|state|answer)|no (?:relevant )?information (?:is|was|about|on|in)|"
    r"not (?:mentioned|specified|provided|stated) in the)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:might|may|maybe|perhaps|possibly|probably|likely|seems?|appears?|could be|i think|i believe|i guess|"
    r"not (?:entirely |completely |quite )?(?:sure|certain|clear)|it depends|"
    r"roughly|approximately|generally|typically|usually|as far as i know|"
    r"to my knowledge|if i recall|consult (?:a|your)|unclear|uncertain)\b",
    re.IGNORECASE,
)
# One of these is in every text that the patterns find anything in: looking for them costs a tenth of the search.
_MAY_REFUSE = (
    "sorry", "unable", "not able", "afraid", "cannot", "can't", "can’t", "could not", "couldn't", "couldn’t", "won't", "won’t",
    "will not", "as an ai", "do not", "don't", "don’t", "does not", "doesn't", "doesn’t", "impossible", "information",
    "not mentioned", "not specified", "not provided", "not stated",
)  # fmt: skip
_MAY_HEDGE = (
    "might", "may", "perhaps", "possibly", "probably", "likely", "seem", "appear", "could be", "i think", "i believe",
    "i guess",
    "sure", "certain", "clear", "depends", "roughly", "approximately", "generally", "typically", "usually", "i know",
    "knowledge", "i recall", "consult",
)  # fmt: skip
_WORD = re.compile(r"\w+")
_SATURATES = 0.06  # hedges a word: as many as anybody writes


def refusal(text: str) -> float | None:
    """1 when nothing in the answer refuses, 0 when it begins with a refusal, 0.5 when one comes later; None without text."""
    if not text.strip():
        return None
    found = _REFUSAL.search(text) if _any(_MAY_REFUSE, text) else None
    if found is None:
        return 1.0
    return 0.0 if found.start() < _START else 0.5


def hedging(text: str) -> float | None:
    """1 when nothing is hedged, down to 0 at six hedges in a hundred words; None without a word."""
    if _WORD.search(text) is None:
        return None
    hedges = sum(1 for _ in _HEDGE.finditer(text)) if _any(_MAY_HEDGE, text) else 0
    if not hedges:
        return 1.0
    words = sum(1 for _ in _WORD.finditer(text))
    return max(0.0, 1 - hedges / max(words, 30) / _SATURATES)


def _any(words: tuple[str, ...], text: str) -> bool:
    low = text.lower()
    return any(word in low for word in words)
