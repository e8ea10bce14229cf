"""kopf in: handlers that only hand over."""
