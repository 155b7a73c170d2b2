"""A cache that several processes of one training read: each shard is hashed by one of them."""

from __future__ import annotations

from echo.evidence.clips import Clips
from echo.training.distributed import Processes


def verify_once(clips: Clips, processes: Processes) -> None:
    """Share the verification of the shards among the processes, and go on once all are verified.

    One process alone verifies each shard when it is first read. Raises CacheError for a damaged shard, in the process
    that found it; its end ends the others (``echo.training.launch``).
    """
    if processes.count > 1:
        clips.verify_share(processes.index, processes.count)
        processes.wait()
