"""The rules: admit, route, weigh and decide are pure arithmetic on frozen records. No clock, no dice, no I/O, no numpy."""

from surefoot.policy.budget import WINDOWS, Budgets, Rates, human_scope, scarcity, window
from surefoot.policy.decide import act, action_of, admit, decide
from surefoot.policy.hours import Hours
from surefoot.policy.ladder import above, continued, parse_ladder, parse_rung, rung_names
from surefoot.policy.learned import Learned, LearnedFeature, LearnedRung, overlay
from surefoot.policy.lot import audit_lot, near_lot, uniform
from surefoot.policy.near import NearLine, NearRules, closed, inputs_of, near_p
from surefoot.policy.policy import (
    Admit,
    CacheRules,
    Compress,
    Curve,
    Feature,
    Input,
    Map,
    Person,
    Policy,
    Promise,
    RevenueRules,
    RouteRules,
)
from surefoot.policy.route import RELAY, repeat_call, route, shadow_call
from surefoot.policy.weigh import apply_map, weigh

__all__ = [
    "RELAY", "WINDOWS", "Admit", "Budgets", "CacheRules", "Compress", "Curve", "Feature", "Hours", "Input", "Learned",
    "LearnedFeature", "LearnedRung", "Map", "NearLine", "NearRules", "Person", "Policy", "Promise", "Rates",
    "RevenueRules", "RouteRules", "above", "act", "action_of", "admit", "apply_map", "audit_lot", "closed", "continued",
    "decide", "human_scope", "inputs_of", "near_lot", "near_p", "overlay", "parse_ladder", "parse_rung", "repeat_call",
    "route", "rung_names", "scarcity", "shadow_call", "uniform", "weigh", "window",
]  # fmt: skip
