"""ccxt, made strict: exact numbers, checked answers, verdicts instead of guesses."""
