"""Models of the field, each as it was published; `renaissance specs` lists them."""
