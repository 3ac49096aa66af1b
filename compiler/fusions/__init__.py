"""How streams are joined: one folder a fusion."""
