"""Settings of judges that have any: a module named as the judge, with a ``Settings(Section)``. No torch here."""
