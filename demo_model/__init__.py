"""Makes the small Gemma-3 checkpoint that ships inside the package; not part of what users install."""
