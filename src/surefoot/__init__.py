"""Surefoot: every request takes the cheapest answer that is safe enough, and in the end a person decides."""

__version__ = "0.1.0"
