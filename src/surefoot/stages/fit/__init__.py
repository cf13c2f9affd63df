"""fit: which models a rung means, whether the prompt fits them, what is left out of it, and what the call costs at worst."""

from surefoot.stages.fit.fit import Fit
from surefoot.stages.fit.prefixes import Prefixes

__all__ = ["Fit", "Prefixes"]
