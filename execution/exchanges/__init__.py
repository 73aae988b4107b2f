"""Knowledge of exchanges: guarantees, verdicts, clocks, holds. No request is made here."""
