"""COCO's captions as published."""
