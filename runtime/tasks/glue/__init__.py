"""Nine tasks about texts, and a diagnostic set."""
