"""The one declaration of every key of the language."""
