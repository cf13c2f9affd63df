"""The steps that made the tables, run by `surefoot.store.migrate` from the installed package."""
