"""The one base of errors that are meant for users: the message is all they need, so it is shown as one line."""

from __future__ import annotations


class UserError(Exception):
    """What a user can mend: the message names what was wrong, what was expected, where, and what mends it.

    The command line shows such an error as one line. Any other error is a fault of the code or of a library and keeps
    its trace.
    """
