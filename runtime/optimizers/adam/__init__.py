"""Adam, with decay as a part of the gradient."""
