"""Result tables: from one row per case to the paper's tables, each cell with its interval and the paper's number.

====================  ==================================================================================================
module                what it does
====================  ==================================================================================================
``files``             the files of a tables folder, in one list
``stages``            the stage ``tables``: gather, then build
``gather``            the runs' own files to cases.csv.gz, frames.parquet, probes.csv, rows.csv, timings.csv
                      and realism.csv
``complete``          whether the runs' files hold every case, once, of the right row; what is missing, and what mends
it ``realism``           how far each row's frames are, as a set, from true ones ``samples``           pictures of a few
cases, for the figures ``build``             from the gathered files to all other tables; what each of them holds
``read``              reading the gathered files, and checking their columns ``summary``           means with intervals:
every row x branch x measure, and PSNR along the rollout ``compare``           each row against the reference row, case
by case; what the probes say ``rank_correlation``  replay against return, over rows ``paper``             the paper's
numbers, and its tables with ours beside them ``resampling``        the bootstrap over rooms and training seeds
``statistics``        intervals, permutation test and Holm's correction, over clusters ``markdown``          all tables
as one page ====================
==================================================================================================

A number that was not measured is an empty cell, never 0. Nothing is imported here, so that a workflow can ask for the
list of files without pandas.
"""
