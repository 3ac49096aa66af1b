"""One stack over two streams behind their towers."""
