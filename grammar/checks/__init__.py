"""What a spec that can be read may still get wrong."""
