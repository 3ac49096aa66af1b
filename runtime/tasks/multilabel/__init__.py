"""Which classes are there?"""
