"""The memories: one module a family, each with its ``Settings`` (checked configuration) and its write and read."""
