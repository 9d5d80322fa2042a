"""A run as one HTML page that plays its own model."""
