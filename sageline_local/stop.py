"""Stop a stack, so that nothing of it is left running."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

from sageline_local import processes
from sageline_local.home import Home, StackRecord
from sageline_local.progress import Progress
from sageline_local.services import services


def stop(home: Home, progress: Progress) -> bool:
    """Stop what the record names and what those have left behind; MiniStack and SageMaker save their state.

    Returns:
        Whether anything was running.
    """
    record = StackRecord.load(home)
    ran = False
    if record.ports is not None:
        for service in services(home, record.ports, os.environ):
            reference = record.processes.get(service.name)
            if reference is None or not reference.alive:
                continue
            ran = True
            with progress.step(f"Stop {service.title}"):
                clean = processes.stop(reference, service.stop_seconds)
            if not clean:
                progress.note(
                    f"{service.title} did not end within {service.stop_seconds:.0f} s and was killed; see {service.log}."
                )
    ran = end_leftovers(home, progress) or ran
    # The functions, unpacked with their layer.
    shutil.rmtree(home.scratch, ignore_errors=True)
    replace(record, processes={}).save(home)
    return ran


def end_leftovers(home: Home, progress: Progress) -> bool:
    """End what a killed server has left behind: functions, training jobs, endpoints.

    Returns:
        Whether there was anything.
    """
    keep = [reference for reference in StackRecord.load(home).processes.values() if reference.alive]
    left = processes.leftovers(home.root, keep)
    if left:
        processes.end(left)
        progress.note(f"Ended {len(left)} {'process' if len(left) == 1 else 'processes'} left over from a stack that was killed.")
    return bool(left)
