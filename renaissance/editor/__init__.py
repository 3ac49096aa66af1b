"""What editors ask for: a language server, and rules that colour specs without one."""
