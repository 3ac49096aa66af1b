"""Features of constant towers, kept on disk and read instead of computed."""
