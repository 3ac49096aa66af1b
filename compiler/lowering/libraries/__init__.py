"""What makes encoders of libraries fast: the project's attention inside of their layers."""
