"""The effects of the page, one file each: read, fit, call (with recall and pair), check."""

from surefoot.stages.call import Calls
from surefoot.stages.check import Checks
from surefoot.stages.fit import Fit, Prefixes
from surefoot.stages.read import ReadRequest

__all__ = ["Calls", "Checks", "Fit", "Prefixes", "ReadRequest"]
