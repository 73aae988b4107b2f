"""Everything on one machine, for the demo, chaos runs and tests; and the audits that judge them."""
