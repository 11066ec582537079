"""Fuzz the readers of outside input, which must bear anything within bounds. See ``__main__``."""
