"""From one TOML file to values: `Config` holds the settings as written and the policy they amount to."""
