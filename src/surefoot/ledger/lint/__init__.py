"""Prompt lint: what each part of a prompt costs a month, what of it is paid in vain, why the provider's cache missed.

`places` and `segments` read a request body, `sample` holds what is known of a request, `cost` spreads what was metered over the
segments, `pairs` compares requests that followed each other, `rules` find faults, `report` puts it together, `traffic` reads
the journal, `cachemiss` explains one miss.
"""
