"""The steps of an acceptance, one after the other, and what is noted of each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError
from rich.console import Console

from sageline.aws.errors import is_denied
from sageline.json_objects import Json
from sageline.runs.documents import RunFiles
from sageline.runs.money import usd
from sageline.runs.prices import LIST_PRICES, Prices
from sageline_cli.accept import observe
from sageline_cli.accept.clean_up import clean_up
from sageline_cli.accept.plan import BATCH_OPTIONS, Plan, check_limit, estimate, with_budget
from sageline_cli.accept.requests import ask_until_answered, traffic
from sageline_cli.aws import Aws
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.example_jobs import after_batch
from sageline_cli.held_out import read_held_out, score
from sageline_cli.temporary_stack import WorkReport, run_to_the_end, time_limit, undisturbed
from sageline_local.samples import write_sample


@dataclass(frozen=True)
class Acceptance:
    """What is done, on which stack. ``folder`` is where the samples are written."""

    connection: Connection
    aws: Aws
    plan: Plan
    folder: Path
    console: Console
    report: WorkReport

    def carry_out(self) -> None:
        """Say what it may cost, do all steps, and delete everything that they made, however they end.

        Raises:
            CommandFailed: it may cost too much, a step went wrong, it took too long, or something could not be deleted.
        """
        specs = self._specs_with_budgets()
        facts = self.report.facts
        minutes = self.plan.pace.most_minutes
        try:
            with time_limit(minutes * 60, f"The acceptance was not done within {minutes:g} minutes."):
                text = self._main(specs["main"])
                tuned = self._tuned(specs["tuned"])
                self._batch(tuned)
                self._canary(specs["canary"], tuned)
                self._ask_once_more(text)
        finally:
            with undisturbed(), self.report.timed("deletes"):
                facts["deletes"] = clean_up(self.connection, self.aws, self.plan, self.console)
        if facts["deletes"]["problems"]:
            raise CommandFailed(f"Not everything could be deleted: {' '.join(facts['deletes']['problems'])}")

    def _specs_with_budgets(self) -> Mapping[str, Json]:
        specs = self.plan.specs()
        costs = estimate(specs, self._prices(), str(self.aws.region))
        self.report.facts["estimate"] = costs.to_json()
        for line in costs.lines():
            self.console.print(line, soft_wrap=True, markup=False)
        check_limit(costs)
        self.console.print(f"[bold]The acceptance may cost up to {usd(costs.most_usd or 0)}.[/]")
        return {step: with_budget(spec, costs.runs[step]) for step, spec in specs.items()}

    def _prices(self) -> Prices:
        files = RunFiles(self.connection.s3, self.connection.bucket)
        try:
            return files.read_prices()
        except ClientError as error:
            if not is_denied(error):
                raise
            self.console.print(f"You may not read {files.prices_uri}: the list prices are counted with.", soft_wrap=True)
            return LIST_PRICES

    def _main(self, spec: Json) -> Json:
        """The main job, on a serverless endpoint."""
        run = self._run("main", "aws-docs", self.plan.text, spec)
        held_out = read_held_out(self.connection, run["run_id"])
        first = held_out[0]["features"]
        facts = self.report.facts["main"]
        facts["first_requests"] = [ask_until_answered(self.connection.api, self.plan.text, first) for _ in range(2)]
        facts["scores"] = score(self.connection, run, held_out, self.console)
        facts["container"] = observe.answers_of_container(self.connection, self.aws, run)
        return {"instance": first, "asked_at": time.time()}

    def _tuned(self, spec: Json) -> Json:
        """A tuning job whose best model is hosted on an instance; the run's record."""
        run = self._run("tuned", "diabetes", self.plan.table, spec)
        facts = self.report.facts["tuned"]
        facts["trials"] = len(run["details"]["trials"])
        facts["scores"] = score(self.connection, run, read_held_out(self.connection, run["run_id"]), self.console)
        facts["container"] = observe.answers_of_container(self.connection, self.aws, run)
        return run

    def _batch(self, tuned: Json) -> None:
        """A batch transform of the held-out rows, which gives what the endpoint gives."""
        self.console.print("\n[bold]batch[/]")
        held_out = read_held_out(self.connection, tuned["run_id"])
        with self.report.timed("batch"):
            found = after_batch(self.connection, tuned, held_out, self.console, BATCH_OPTIONS)["batch"]
        run = self.connection.api.run(found["run_id"])
        self.report.facts["batch"] = {**observe.of_run(self.connection, run), **found}

    def _canary(self, spec: Json, tuned: Json) -> None:
        """Another model replaces the tuned one by canary, while requests come in.

        Raises:
            CommandFailed: it has not all the traffic in the end, or requests failed.
        """
        instance = read_held_out(self.connection, tuned["run_id"])[0]["features"]
        with traffic(self.connection.api, self.plan.table, instance) as seen:
            run = self._run("canary", "diabetes", self.plan.table, spec)
        facts, known = self.report.facts["canary"], {tuned["run_id"], run["run_id"]}
        facts["answered_by"] = dict(seen)
        endpoint = self.connection.api.endpoint(self.plan.table)
        facts["serving"] = {variant["name"]: variant["weight"] for variant in endpoint["variants"]}
        if facts["serving"].keys() != {run["run_id"]}:
            raise CommandFailed(f"After the canary {', '.join(facts['serving'])} serve, and not {run['run_id']} alone.")
        if errors := {code: count for code, count in seen.items() if code not in known}:
            raise CommandFailed(f"Requests failed during the canary: {errors}.")

    def _ask_once_more(self, text: Json) -> None:
        """The serverless endpoint, which nobody has asked since the first step: a cold start, if that was long enough ago."""
        idle = round(time.time() - text["asked_at"])
        asked = ask_until_answered(self.connection.api, self.plan.text, text["instance"])
        self.report.facts["main"]["after_idle"] = {"idle_seconds": idle, **asked}

    def _run(self, step: str, sample: str, name: str, spec: Json) -> Json:
        """Upload a sample with its spec and follow the run; its record. What is seen of it is noted, even if it fails."""
        self.console.print(f"\n[bold]{step}[/]")
        dataset = self.folder / f"{sample}.csv"
        write_sample(sample, dataset)
        document = json.dumps(spec, indent=2).encode()
        with self.report.timed(step):
            try:
                run = run_to_the_end(self.connection, dataset, name, spec=document, console=self.console, report=self.report)
            except BaseException:
                self._note_how_far(step)
                raise
        del self.report.facts["run_id"]
        self.report.facts[step] = {**observe.of_run(self.connection, run), "images": observe.images(self.aws, run)}
        return run

    def _note_how_far(self, step: str) -> None:
        """Note what is seen of a run that has not ended as it should, whatever ended it."""
        run_id = self.report.facts.pop("run_id", None)
        if run_id is not None:
            with suppress(CommandFailed):
                self.report.facts[step] = observe.of_run(self.connection, self.connection.api.run(run_id))
