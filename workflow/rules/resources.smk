# What each job asks of the machine: one table for all rules. docs/cluster.md says how to change it for a cluster.
#
# The first pair of columns is for small studies on CPUs (compute.device: cpu); its memory also decides how many jobs
# run side by side on one machine. The other columns are for studies at the paper's scale (compute.device: cuda).
PROCESSES = STUDY.compute.processes
CPUS_PER_GPU = 8  # loaders, and the copies between host and card
SNAKEMAKE_MB = 500  # Snakemake inside a Slurm job takes memory of its own
# A stage is handed the CPUs of its last column as threads; one that computes on one thread asks for one CPU.
RESOURCES = {
    #                on CPUs:        on GPUs:
    # rule           mem_mb minutes  mem_mb minutes gpus cpus
    "study": (1000, 15, 1000, 15, 0, 1),
    "publish": (1000, 15, 1000, 15, 0, 1),
    "assets": (1000, 30, 1000, 30, 0, 1),
    "weights": (1000, 30, 1000, 30, 0, 1),
    "pretrained": (1000, 120, 4000, 720, 0, 1),
    "index": (1000, 30, 8000, 240, 0, 1),
    "pool": (1000, 60, 16000, 720, 0, 1),
    "codec": (4000, 60, 16000, 60, 0, 8),
    "codec_quality": (2000, 60, 16000, 60, 1, 8),
    "text": (1000, 30, 64000, 120, 1, 8),
    "latents_share": (1000, 60, 32000, 720, 1, 8),
    "latents": (1000, 30, 4000, 60, 0, 1),
    "evidence": (1000, 60, 16000, 480, 0, 1),
    "base": (
        *(1500, 60, 64000, 720),
        *(
            (PROCESSES, CPUS_PER_GPU * PROCESSES)
            if PRETRAINED and STUDY.base.steps
            else (0, 4)
        ),
    ),
    "base_clips": (1500, 60, 8000, 60, 0, 2),
    "base_train": (2000, 2880, 16000, 2880, 1, CPUS_PER_GPU),
    "ship": (1000, 15, 1000, 15, 0, 1),
    "train": (2500, 60, 32000 * PROCESSES, 1440, PROCESSES, CPUS_PER_GPU * PROCESSES),
    "released_file": (1000, 120, 4000, 720, 0, 1),
    "import_released": (2500, 30, 32000, 60, 0, 1),
    "rollout": (2500, 60, 64000, 5760, 1, 8),
    "probe": (2500, 60, 64000, 720, 1, 8),
    "reference": (1500, 60, 32000, 480, 1, 8),
    "seen": (1000, 30, 16000, 60, 0, 1),
    "measure": (1500, 60, 8000, 120, 1, 8),
    "true_features": (1500, 60, 16000, 480, 0, 8),
    "realism": (1500, 60, 16000, 480, 0, 8),
    "judge": (1500, 60, 16000, 480, 0, 8),
    "certificate": (1500, 60, 16000, 480, 0, 8),
    "viewer": (1500, 60, 16000, 60, 0, 1),
    "video": (1500, 60, 16000, 60, 0, 1),
    "people": (1500, 60, 16000, 120, 0, 1),
    "tables": (1500, 60, 16000, 120, 0, 1),
    "first_frames": (1000, 30, 4000, 60, 0, 1),
    "open_rollout": (2500, 60, 64000, 720, 1, 8),
    "open_reference": (1500, 60, 32000, 120, 1, 8),
    "open_judge": (1500, 60, 16000, 240, 0, 8),
    "open_domain": (1500, 60, 8000, 60, 0, 4),
    "figure": (1000, 15, 4000, 15, 0, 1),
    "leaderboard": (1000, 15, 4000, 15, 0, 1),
    "notebook": (1000, 15, 4000, 30, 0, 1),
    "site": (1000, 15, 4000, 30, 0, 1),
}


# Only a local run counts it (`resources` in workflow/profiles/default): `mem_mb` there would cap what a Slurm job gets.
resource_scopes:
    local_mb="local",


def threads(rule):
    """CPU threads that a job hands to its stage, which are all that it asks for: else they would do the work of one."""
    return RESOURCES[rule][5] if GPU_STUDY else 1


def resources(rule):
    """A rule's resources; memory (MB) and runtime (minutes) grow with each attempt of a job."""
    mem, minutes, gpu_mem, gpu_minutes, gpus, cpus = RESOURCES[rule]
    if GPU_STUDY:
        mem, minutes = gpu_mem, gpu_minutes
    else:
        cpus = {"train": PROCESSES, "base": PROCESSES, "base_train": STUDY.base.threads}
        gpus, cpus = 0, cpus.get(rule, 1)
    return {
        "mem_mb": lambda wildcards, attempt: (mem + SNAKEMAKE_MB) * attempt,
        "runtime": lambda wildcards, attempt: minutes * attempt,
        "cpus_per_task": cpus,
        "local_mb": mem,
        **({"gpu": gpus} if gpus else {}),
    }
