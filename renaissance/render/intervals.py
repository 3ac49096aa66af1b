"""What is said about intervals below figures."""

IN_BRACKETS = "in brackets: 95% intervals over other images"
WITHOUT = "without brackets: of one image alone, or no mean over images"
