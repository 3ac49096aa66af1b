"""Measuring a fine-tuned model on a split."""
