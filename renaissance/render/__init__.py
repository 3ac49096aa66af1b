"""Findings as text, JSON and SARIF. Each renderer returns text; only the front door prints it."""
