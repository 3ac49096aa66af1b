"""Are the words of a text in their order?"""
