"""The language of the program: frozen values that every part passes on. Pure."""
