"""Unit economics: statements out of the ledger's sums, and what prompts pay for in vain. Pure: no store."""
