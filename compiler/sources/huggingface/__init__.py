"""An encoder that transformers' AutoModel makes, with its weights."""
