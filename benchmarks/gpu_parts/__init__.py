"""The parts of the prepared run on a GPU, a module each; `benchmarks.gpu` runs them."""
