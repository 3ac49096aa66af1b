"""What is wrong with the data, said to the person who can mend it."""


class DataError(Exception):
    """Data that a job cannot go on with; the message is one sentence that says what to do."""


class NothingLeftError(DataError):
    """All images of a data block are excluded from it."""
