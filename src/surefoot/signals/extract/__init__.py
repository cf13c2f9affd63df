"""Which parts of passages a question needs."""
