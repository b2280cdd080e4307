"""Failures that Python would have end a thread or a loop, made such as end one session."""


def contained(failure: BaseException) -> Exception:
    """The failure as an `Exception`, which it need not be: a panic of a library in Rust is none."""
    if isinstance(failure, Exception):
        return failure
    error = RuntimeError(f"{type(failure).__name__}: {failure}")
    error.__cause__ = failure
    return error
