"""Long computations: seeds that do not depend on the number of processes, blocks, files, run folders.

Nothing here knows what is being computed. Work is cut into blocks of a fixed size; each block has its own
random stream, keyed by what is computed and which block it is, so the result is bit-identical for any
number of processes. With a run folder each finished block is kept, and a killed run goes on where it stopped.
"""

from moltheory._core._listing import public_names
from moltheory.runs._blocks import block_lengths, check_jobs, run_blocks
from moltheory.runs._files import prepare_folder, write_atomically
from moltheory.runs._fingerprint import fingerprint
from moltheory.runs._memory import check_memory
from moltheory.runs._record import RunRecord, read_record
from moltheory.runs._run_check import check_run
from moltheory.runs._run_clean import clean_runs
from moltheory.runs._run_export import export_run
from moltheory.runs._run_merge import merge_runs
from moltheory.runs._run_table import list_runs
from moltheory.runs._seeds import RandomSource, as_seed_sequence, block_stream
from moltheory.runs._store import RunFolder, check_recordable
from moltheory.runs._versions import Versions, show_versions

__all__ = [
    "RandomSource",
    "RunFolder",
    "RunRecord",
    "Versions",
    "as_seed_sequence",
    "block_lengths",
    "block_stream",
    "check_jobs",
    "check_memory",
    "check_recordable",
    "check_run",
    "clean_runs",
    "export_run",
    "fingerprint",
    "list_runs",
    "merge_runs",
    "prepare_folder",
    "read_record",
    "run_blocks",
    "show_versions",
    "write_atomically",
]

__dir__ = public_names(__name__)
