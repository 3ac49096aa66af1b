"""What the verbs do: one module each, with one function `run(arguments) -> int`."""
