"""Which number is it?"""
