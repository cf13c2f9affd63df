"""How a ladder is written: `["cache", "small", "small+other", "flagship"]`, cheapest first."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.errors import ConfigError
from surefoot.records import Rung


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
