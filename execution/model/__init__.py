"""The pure values and rules of trading. Imports nothing of the rest."""
