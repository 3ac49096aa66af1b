"""Images of the easy-VQA package with their questions and answers."""
