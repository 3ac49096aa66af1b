"""Does a sentence follow from a photograph?"""
