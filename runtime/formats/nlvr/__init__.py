"""True sentences of Cornell NLVR v1 with their images."""
