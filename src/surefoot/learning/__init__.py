"""Labels back into the policy: maps per feature and rung, thresholds for promises, certificates, drift. Arrays stay here."""
