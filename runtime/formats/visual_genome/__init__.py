"""Visual Genome's regions, each with a phrase."""
