"""Unit economics: statements out of the ledger's sums. Pure: records in, records and texts out; no store."""
