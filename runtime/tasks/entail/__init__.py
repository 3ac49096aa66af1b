"""Does a hypothesis follow from a premise and an image?"""
