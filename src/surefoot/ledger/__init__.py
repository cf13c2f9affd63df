"""What money went for: reports on the ledger and the journal."""
