"""Open questions about photographs."""
