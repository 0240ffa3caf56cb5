"""What is said when what was asked for makes no sense."""


class Misuse(Exception):
    """What was asked for makes no sense; its text is one line for people."""
