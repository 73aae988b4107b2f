"""A complete installation on one machine for the demo, chaos runs and tests, and their audits."""
