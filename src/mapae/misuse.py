"""Misuse: a mistake of the code that calls us."""


class Misuse(ValueError):
    """The calling code asks for something unsafe or senseless; raised where the object is made."""
