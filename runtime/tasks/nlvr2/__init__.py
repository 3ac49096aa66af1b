"""Is a sentence true of two photographs?"""
