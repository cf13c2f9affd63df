"""unused-segment: reference text that no answer rests on, by the grounding that also judges answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from surefoot.ledger.lint.findings import Hit, Note
from surefoot.ledger.lint.segments import Prompt, Segment
from surefoot.ledger.lint.traffic import Traffic, slots
from surefoot.signals.grounding import ground
from surefoot.stats import clopper_pearson

LEAST = 60  # answers that could have rested on it: then fewer than 6 in 100 do
_REFERENCE_WORDS = 25
_INSTRUCTS = re.compile(
    r"\b(?:you|your|yourself|respond|reply|output|assistant|answer|format|must|never|always|do not|don['’]t)\b"
    r"|(?:^|[.:;\n])[ \t>*•-]*(?:say|write|give|use|keep|reveal|avoid|ensure|make|refer|ask|tell|state|cite|quote|return"
    r"|include|begin|start|end|explain|decline|refuse|escalate|check|follow|treat)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?(?:context|documents?|passage)(?:\s[^<>]{0,500})?>")


def unused_segment(traffic: Traffic) -> Iterator[Hit | Note]:
    """Passages and paragraphs of reference that support no sentence of at least 60 answers.

    A passage that is in many requests is looked at by itself, others by their place: "the sixth passage". A paragraph of system
    text is reference when it has at least 25 words, none that instructs ("you", "answer", "must", ...), and no sentence that
    begins with a command: instructions work without being quoted.
    """
    offered: Counter[str] = Counter()
    used: Counter[str] = Counter()
    met: list[tuple[int, str, Segment]] = []
    common = Counter(
        text
        for sample in traffic.samples
        for text in {each.text for each in sample.prompt.said if each.kind == "passage"}
    )
    for number, sample in enumerate(traffic.samples):
        names = _references(sample.prompt, common)
        met += [(number, name, each) for name, each in names]
        for answer in sample.answers or ():
            found = ground(answer, tuple(_TAG.sub(" ", each.text).strip() for _, each in names))
            if found is None:
                continue
            offered.update({name for name, _ in names})
            rests = {each.passage for each in found.sentences if each.supported}
            used.update({name for place, (name, _) in enumerate(names) if place in rests})
    few = [name for name in dict.fromkeys(name for _, name, _ in met) if offered[name] < LEAST and not used[name]]
    if few:
        n = max(offered[name] for name in few)
        yield Note(
            rule="unused-segment", said=f"not enough data on {len(few)} parts of reference text: {n} answers of {LEAST}"
        )
    for number, name, each in met:
        n = offered[name]
        if n < LEAST or used[name]:
            continue
        tokens, paid = traffic.cost(number, each)
        yield Hit(
            rule="unused-segment", severity="warning", number=number, key=name, segment=each, tokens=float(tokens),
            what=f"no sentence of {n} answers rests on this {'passage' if each.kind == 'passage' else 'paragraph'} "
            f"(at most {clopper_pearson(0, n).high:.1%} do)",
            fix="leave it out, or retrieve it only for questions on it", nanodollars=float(paid),
        )  # fmt: skip


def _references(prompt: Prompt, common: Counter[str]) -> list[tuple[str, Segment]]:
    """(what it is called, segment) of everything in a prompt that an answer may rest on."""
    found = []
    place = 0
    for name, each in zip(slots(prompt), prompt.said, strict=True):
        if each.kind == "passage":
            place += 1
            found.append((each.text if common[each.text] >= LEAST else f"passage {place}", each))
        elif each.kind == "system" and len(each.text.split()) >= _REFERENCE_WORDS and not _INSTRUCTS.search(each.text):
            found.append((name, each))
    return found
