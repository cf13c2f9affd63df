"""Known forms of prompt injection in a request or a passage. Patterns find what was seen before and nothing else."""

from __future__ import annotations

import re

from msgspec import Struct

from surefoot.signals.plain import plain

_LOOKED_AT = 200_000  # characters
_KINDS = {
    "override": (
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}?\b(?:previous|prior|above|earlier|all|any|system|your)\b.{0,30}?"
        r"\b(?:instructions?|rules?|prompts?|guidelines?|directions?)\b",
        r"\b(?:ignoriere|vergiss|missachte)\b.{0,40}?\b(?:anweisungen|regeln|vorgaben)\b",
        r"\b(?:ignore[sz]?|oublie[sz]?)\b.{0,40}?\b(?:instructions?|consignes?|règles)\b",
        r"\b(?:ignora|olvida)\b.{0,40}?\b(?:instrucciones|reglas)\b",
        r"\b(?:new|updated|real) (?:system )?instructions?[ ]?:",
        r"\bdo not follow\b.{0,30}?\b(?:previous|prior|above|earlier|system|original)\b.{0,20}?\binstructions?\b",
    ),
    "role": (
        r"<\|?(?:im_start|im_end|system|endoftext|start_header_id)\|?>",
        r"\[/?INST\]|<<SYS>>",
        r"^[ \t]*#{2,6}[ \t]*(?:system|assistant|developer)[ \t]*(?::|prompt|message|$)",
        r"^[ \t]*(?:system|assistant|developer)[ \t]*:[ \t]*you\b",
        r"\byou are (?:now|no longer)\b.{0,60}?\b(?:assistant|ai|model|chatbot|dan|unrestricted|jailbroken|bound by)\b",
        r"\b(?:developer|debug|god|dan|jailbreak) mode\b",
        r"\bpretend\b.{0,40}?\b(?:no|without|have no)\b.{0,20}?\b(?:restrictions?|rules?|guidelines?|filters?)\b",
    ),
    "reveal": (
        r"\b(?:reveal|print|repeat|show|output|tell me|what (?:is|are|was|were))\b.{0,30}?\b(?:your|the)\b.{0,20}?"
        r"\b(?:system prompt|hidden prompt|system message|instructions verbatim|initial instructions|prompt above)\b",
    ),
    "exfiltration": (
        r"!\[[^\]\n]{0,200}\]\(https?://[^)\s?={]{1,300}[?={][^)\s]{0,300}\)",
        r"\b(?:send|post|upload|exfiltrate|forward)\b.{0,60}?\b(?:to|at)\b.{0,10}?https?://",
    ),
    "tool": (
        r"\b(?:call|invoke|use|run)\b.{0,20}?\b(?:tool|function|command)\b.{0,40}?\b(?:delete|transfer|send|drop|rm)\b",
    ),
    "encoded": (r"\b(?:decode|base64)\b.{0,80}?[A-Za-z0-9+/]{80,}={0,2}",),
}
_HIDDEN = re.compile(
    r"[\u200b\u2060\u2066-\u2069\u202a-\u202e]{2,}"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]"  # after a black flag they are the flag of Wales
)
_COMPILED = {
    kind: tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)
    for kind, patterns in _KINDS.items()
}
_SURE = frozenset({"override", "role", "hidden", "exfiltration"})


class Injection(Struct, frozen=True):
    """What was found. `score` is 1 when nothing was, 0 for forms that hardly occur by chance, 0.3 for the others."""

    score: float
    kinds: tuple[str, ...] = ()


def injection(text: str) -> Injection:
    """Known forms of injection in a text; an empty text has none. A score, not a probability: most attacks are new.

    Letters in other forms and characters that nobody sees do not hide a form; a text longer than 200,000 characters is
    looked at that far.
    """
    looked = text[:_LOOKED_AT]
    seen = plain(looked)
    kinds = [kind for kind, patterns in _COMPILED.items() if any(each.search(seen) for each in patterns)]
    if not looked.isascii() and _HIDDEN.search(looked):
        kinds.append("hidden")
    if not kinds:
        return Injection(1.0)
    return Injection(0.0 if _SURE.intersection(kinds) else 0.3, tuple(kinds))
