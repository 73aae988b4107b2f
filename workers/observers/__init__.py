"""What logs and Sentry hear of what happens."""
