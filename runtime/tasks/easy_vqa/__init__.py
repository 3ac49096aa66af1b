"""Questions about simple shapes."""
