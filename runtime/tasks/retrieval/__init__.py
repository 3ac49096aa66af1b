"""Which image belongs to a text, and which texts to an image?"""
