"""The statistics: numbers in, numbers with intervals out. Imports nothing of ours but errors."""

from surefoot.stats.intervals import Estimate, Mean, clopper_pearson, mean_of, quantile

__all__ = ["Estimate", "Mean", "clopper_pearson", "mean_of", "quantile"]
