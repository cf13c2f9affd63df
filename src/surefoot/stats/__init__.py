"""The statistics: numbers in, numbers with intervals out. Imports nothing of ours but errors."""

from surefoot.stats.intervals import Estimate, clopper_pearson, quantile

__all__ = ["Estimate", "clopper_pearson", "quantile"]
