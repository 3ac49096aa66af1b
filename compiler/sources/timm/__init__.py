"""A vision encoder of timm, with its weights."""
