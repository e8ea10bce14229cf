"""The venue's rate limits as the client mirrors them: count before sending, believe the venue's own count, keep room for exits."""
