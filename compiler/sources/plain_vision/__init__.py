"""A vision transformer over patches, with a class token."""
