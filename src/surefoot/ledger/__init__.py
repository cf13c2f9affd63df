"""Unit economics: statements, what prompts pay for in vain, the bill's forecast, surges. Pure: no store."""
