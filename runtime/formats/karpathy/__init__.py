"""COCO and Flickr30k with captions, in Karpathy's splits."""
