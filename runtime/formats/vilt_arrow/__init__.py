"""The Arrow files that ViLT, METER and those after them are trained from."""
