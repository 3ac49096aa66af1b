"""From syntax trees to one resolved spec: imports, inheritance, overrides, values."""
