"""The rules: route, weigh and decide are pure arithmetic on frozen records. No clock, no dice, no I/O, no numpy."""

from surefoot.policy.budget import limits, window
from surefoot.policy.decide import act, decide
from surefoot.policy.ladder import parse_ladder, parse_rung
from surefoot.policy.policy import CacheRules, Feature, Map, Person, Policy
from surefoot.policy.route import RELAY, route
from surefoot.policy.weigh import weigh

__all__ = [
    "RELAY", "CacheRules", "Feature", "Map", "Person", "Policy", "act", "decide", "limits", "parse_ladder", "parse_rung",
    "route", "weigh", "window",
]  # fmt: skip
