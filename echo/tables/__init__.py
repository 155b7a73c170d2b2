"""Result tables: from one row per case to the paper's tables, each cell with its interval and the paper's number.

====================  ==================================================================================================
module                what it does
====================  ==================================================================================================
``files``             the files of a tables folder, in one list
``stages``            the stage ``tables``: gather, then build
``gather``            merges the runs' files to one each of cases, frames, judgements, probes, rows, kept and so on
``judgements``        what every judge said of every case, and why answers are missing
``complete``          checks that the runs' files hold every case once and for the right row, or says how to fix it
``realism``           distance of each row's frames from the true ones, as sets
``samples``           pictures of a few cases, for the figures
``build``             computes all other tables from the gathered files; says what each holds
``read``              reads the gathered files and checks their columns
``results``           a study's tables by name, for readers (``load``)
``follows``           what follows from a study's tables, in sentences, for the end of each notebook
``summary``           means with intervals: every row x branch x measure, and PSNR along the rollout
``gate``              scores of the returns that departed alone
``compare``           each row against the reference row, case by case; probes and certificates
``agreement``         how far the judges agree, pair by pair; the paper's table of judges
``two_judges``        the statistics of that, for many draws of rooms at once
``audit``             in what trained rows differ, which should be their memory alone
``constants``         the constants of every row, and where the paper and its release disagree about them
``contrasts``         differences that were named before the run, and what the study could have seen
``findings``          the paper's findings, and whether they hold in one study
``told``              one study's tables as far as findings need them
``findings_page``     the findings of several studies side by side, by evidence policy
``rank_correlation``  replay against return, over rows
``paper``             the paper's numbers, and its tables with ours beside them
``resampling``        the bootstrap over rooms, and what other trainings would move an estimate by
``statistics``        intervals, permutation test and Holm's correction, over clusters
``markdown``          all tables as one page
``judges_page``       the part of it about judges
``closure_page``      the part of it about closure and departure
``cells``             cells and tables in markdown
``open_domain``       the tables of rollouts from a user's pictures, of which there is no truth
``strips``            pictures of what each row made of one of those
====================  ==================================================================================================

A number that was not measured is an empty cell, never 0. ``load("mini")["summary"]`` is a table as a data frame.
Nothing is imported before that, so that a workflow can get the list of files without pandas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echo.tables.results import Results


def load(study: str | Path) -> Results:
    """The tables of a study, by its name in ``results/`` or by its folder.

    Raises TableError, with the names there are, where neither has tables.
    """
    from echo.tables.results import Results

    return Results(study)
