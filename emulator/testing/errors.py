"""What a handle raises."""


class EmulatorError(Exception):
    """The emulator refused a request, or can't be reached; the message is its own.

    Attributes:
        status: the HTTP status of its answer; None where none came.
        code: the error's code, such as ``"task_not_found"``; None where there is none.
    """

    def __init__(self, message: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ExpectationFailed(AssertionError):
    """Something that a test expected did not happen; the message says what did."""


# What people import, and what a report's last line has room for.
for _error in (EmulatorError, ExpectationFailed):
    _error.__module__ = "emulator.testing"
