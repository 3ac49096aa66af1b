"""Two towers side by side, projected to one space."""
