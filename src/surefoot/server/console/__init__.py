"""The console: what people see. Pages are rendered here; one style sheet, native modules, no build step.

`app` puts it together, `csrf` guards every request, `pages` is what a page needs, `auth` and `accounts` are about people,
`desk` is where cases are answered, `staffing` says how many people that takes, `prompts` what
prompts cost.
"""
