"""Is a sentence true of a drawing?"""
