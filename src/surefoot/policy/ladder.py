"""How a ladder is written: `["cache", "small", "small+other", "flagship"]`, cheapest first."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.errors import ConfigError
from surefoot.records import Draft, NoDraft, Rung

_CONTINUED = "continued:"


def parse_rung(text: str) -> Rung:
    """One rung: "cache", "requested" (the model the client names), a model's name, "a+b" (ask both), "a*3" (ask it thrice).

    Raises: ConfigError when it is empty, or a pair names the same model twice or more than two, or samples are not 2 to 9.
    """
    name = text.strip()
    if name == "cache":
        return Rung(name=name, kind="cache")
    if name == "requested":
        return Rung(name=name, kind="requested")
    model, star, times = name.rpartition("*")
    if star:
        if not model.strip() or times.strip() not in tuple("23456789") or "+" in model:
            raise ConfigError(f"rung {text!r} must be MODEL*2 to MODEL*9")
        model = model.strip()
        return Rung(name=f"{model}*{times.strip()}", kind="pair", models=(model,) * int(times))
    models = tuple(part.strip() for part in name.split("+"))
    if not all(models):
        raise ConfigError(f"rung {text!r} has an empty name")
    if len(models) == 1:
        return Rung(name=name, kind="model", models=models)
    if len(models) > 2 or models[0] == models[1]:
        raise ConfigError(f"rung {text!r} must name two different models")
    return Rung(name="+".join(models), kind="pair", models=models)


def continued(rung: Rung) -> Rung | None:
    """The rung that goes on where the caller's part of an answer ends; None where there is no such thing.

    It is a rung of its own, with a map of its own: a model that must go on from another's words answers differently.
    """
    if rung.kind == "continued":
        return rung
    if rung.kind not in ("model", "requested"):
        return None
    return Rung(name=_CONTINUED + rung.name, kind="continued", models=rung.models)


def above(rest: tuple[Rung, ...], draft: Draft | NoDraft) -> tuple[Rung, ...]:
    """What can still be tried after a draft: all rungs above or, once the caller has a part of it, their continuations."""
    if not draft.released:
        return rest
    return tuple(found for rung in rest if (found := continued(rung)) is not None)


def rung_names(ladder: Sequence[Rung]) -> tuple[str, ...]:
    """Every name that a map may have, continuations of the rungs above the first among them."""
    more = (found.name for rung in ladder[1:] if (found := continued(rung)) is not None)
    return (*(rung.name for rung in ladder), *more)


def parse_ladder(texts: Sequence[str]) -> tuple[Rung, ...]:
    """A ladder, cheapest first. Raises ConfigError when it is empty, repeats a rung, or has the cache anywhere but first."""
    ladder = tuple(parse_rung(text) for text in texts)
    names = [rung.name for rung in ladder]
    if not ladder:
        raise ConfigError("a ladder needs at least one rung")
    if len(set(names)) != len(names):
        raise ConfigError(f"ladder {names} names a rung twice")
    if "cache" in names[1:]:
        raise ConfigError("the cache is the cheapest rung: it can only stand first")
    return ladder
