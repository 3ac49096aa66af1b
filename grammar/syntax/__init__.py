"""From a text to its syntax tree, with what is wrong with its form and what to write instead."""
