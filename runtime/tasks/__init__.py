"""Tasks: a folder for each thing to fine-tune on and to measure."""
