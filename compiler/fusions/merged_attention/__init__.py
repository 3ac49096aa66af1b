"""One stack over all streams behind their towers."""
