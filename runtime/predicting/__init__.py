"""A trained model that answers rows which are none of its data."""
