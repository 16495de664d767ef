"""The pure engine: observations and moments in, decisions out. No clock, disk, radio or chance."""
