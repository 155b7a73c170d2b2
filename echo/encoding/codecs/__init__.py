"""Kinds of codecs: ``codec.kind: NAME`` is the module ``NAME`` of this folder, whose ``CODEC`` is a ``Codec`` class."""
