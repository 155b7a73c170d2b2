"""People as judges: a page on which they score pairs of views, and the files of answers that it saves.

``sample`` and ``pairs`` choose what is shown, ``page`` writes the one HTML file (of the HTML, CSS and JavaScript here),
``answers`` reads what raters send back, ``raters`` says how far they agree with themselves and with each other. The
judge itself is ``echo.judge.judges.people``.
"""
