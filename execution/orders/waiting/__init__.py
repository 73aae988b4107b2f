"""Orders that wait: attempts, ages, and when to come back."""
