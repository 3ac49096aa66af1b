"""SBU: a million photographs of Flickr with their captions."""
