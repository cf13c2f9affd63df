"""Which feature a request belongs to, and what a caller may name."""

from __future__ import annotations

from surefoot.errors import NotAllowed, NotFound
from surefoot.policy import Policy
from surefoot.providers.registry import Registry
from surefoot.records import Caller
from surefoot.wire.dialects import DIALECTS


def feature_for(policy: Policy, registry: Registry, caller: Caller, model: str, asked: str) -> str:
    """The feature asked for by name or by the model's name, else the key's, else the only one, else "default".

    Raises: NotFound for an unknown feature or model, NotAllowed for a feature that is not open to the key.
    """
    name = asked or model.removeprefix("surefoot/")
    if asked and asked not in policy.features:
        raise NotFound(f"there is no feature {asked!r}", param="feature")
    if name not in policy.features:
        name = _default(policy, caller)
        if model not in ("surefoot", "") and not _offers(policy, registry, name, model):
            raise NotFound(f"the model {model!r} does not exist or is not offered here", param="model")
    if caller.features and name not in caller.features:
        raise NotAllowed(f"feature {name!r} is not open to this key", param="feature")
    if name not in policy.features:
        raise NotFound(f"the key's feature {name!r} is not configured", param="feature")
    return name


def cards(policy: Policy, registry: Registry, caller: Caller) -> list[dict[str, object]]:
    """What `/v1/models` lists: the features open to the caller, then the configured models."""
    names = [name for name in policy.features if not caller.features or name in caller.features]
    features = [{"id": name, "created": 0, "owned_by": "surefoot", "display_name": name} for name in names]
    models = [
        {"id": model.name, "created": 0, "owned_by": model.provider.name, "display_name": model.upstream}
        for model in registry.models.values()
        if model.name not in names
    ]
    return [*features, *models]


def _default(policy: Policy, caller: Caller) -> str:
    if caller.features:
        return caller.features[0]
    if len(policy.features) == 1:
        return next(iter(policy.features))
    if "default" in policy.features:
        return "default"
    raise NotFound(f"several features are configured; name one of {sorted(policy.features)}", param="feature")


def _offers(policy: Policy, registry: Registry, feature: str, model: str) -> bool:
    """Whether a client may name this model: configured, or any priced one where the ladder asks the requested one."""
    if registry.get(model) is not None:
        return True
    ladder = policy.features[feature].ladder if feature in policy.features else ()
    if not any(rung.kind == "requested" for rung in ladder):
        return False
    return any(registry.requested(model, dialect) is not None for dialect in DIALECTS)
