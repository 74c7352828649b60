"""The smaller services in memory: CloudWatch, its logs, Application Auto Scaling, and EventBridge Scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.world.fake_sagemaker import Document, Refused

ACCOUNT_ARN = "us-east-1:123456789012"


@dataclass
class FakeSchedules:
    """EventBridge Scheduler: schedules by name, of one group."""

    kept: Document = field(default_factory=dict)

    def create_schedule(self, request: Document) -> Document:
        if request["Name"] in self.kept:
            raise Refused("ConflictException", f"Schedule {request['Name']} already exists.")
        return self._keep(request)

    def update_schedule(self, request: Document) -> Document:
        self.get_schedule(request)
        return self._keep(request)

    def get_schedule(self, request: Document) -> Document:
        if request["Name"] not in self.kept:
            raise Refused("ResourceNotFoundException", f"Schedule {request['Name']} does not exist.")
        kept: Document = self.kept[request["Name"]]
        return kept

    def delete_schedule(self, request: Document) -> Document:
        self.get_schedule(request)
        del self.kept[request["Name"]]
        return {}

    def list_schedules(self, _: Document) -> Document:
        return {"Schedules": list(self.kept.values())}

    def _keep(self, request: Document) -> Document:
        self.kept[request["Name"]] = request
        return {
            "ScheduleArn": f"arn:aws:scheduler:{ACCOUNT_ARN}:schedule/{request.get('GroupName', 'default')}/{request['Name']}"
        }


@dataclass
class FakeLogs:
    """CloudWatch Logs: for how many days each group keeps its lines, and the lines of each stream."""

    groups: dict[str, int | None] = field(default_factory=dict)
    streams: dict[tuple[str, str], list[Document]] = field(default_factory=dict)

    def create_log_group(self, request: Document) -> Document:
        if request["logGroupName"] in self.groups:
            raise Refused("ResourceAlreadyExistsException", "The specified log group already exists")
        self.groups[request["logGroupName"]] = None
        return {}

    def put_retention_policy(self, request: Document) -> Document:
        self._check(request)
        self.groups[request["logGroupName"]] = request["retentionInDays"]
        return {}

    def delete_log_group(self, request: Document) -> Document:
        self._check(request)
        del self.groups[request["logGroupName"]]
        return {}

    def describe_log_groups(self, _: Document) -> Document:
        found = [{"logGroupName": name, "retentionInDays": days} for name, days in self.groups.items()]
        return {"logGroups": found}

    def write(self, group: str, stream: str, *lines: str) -> None:
        """What a container has written."""
        self.groups.setdefault(group)
        self.streams.setdefault((group, stream), []).extend({"message": line} for line in lines)

    def describe_log_streams(self, request: Document) -> Document:
        self._check(request)
        group, prefix = request["logGroupName"], request.get("logStreamNamePrefix", "")
        found = [stream for of, stream in self.streams if of == group and stream.startswith(prefix)]
        return {"logStreams": [{"logStreamName": stream} for stream in sorted(found)]}

    def get_log_events(self, request: Document) -> Document:
        """Pages of 10,000 lines; the last has the token that it was asked with."""
        self._check(request)
        events = self.streams[request["logGroupName"], request["logStreamName"]]
        most = request.get("limit", 10_000)
        if not request.get("startFromHead"):
            return {"events": events[-most:], "nextForwardToken": f"f/{len(events)}"}
        start = int(request.get("nextToken", "f/0").removeprefix("f/"))
        page = events[start : start + most]
        return {"events": page, "nextForwardToken": f"f/{start + len(page)}"}

    def _check(self, request: Document) -> None:
        if request["logGroupName"] not in self.groups:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.")


@dataclass
class FakeAlarms:
    """CloudWatch: alarms by name, and what metrics were."""

    kept: Document = field(default_factory=dict)
    data: list[Document] = field(default_factory=list)
    is_busy: bool = False
    """Whether every metric has a value all the time."""

    def put_metric_alarm(self, request: Document) -> Document:
        self.kept[request["AlarmName"]] = {
            **request,
            "AlarmArn": f"arn:aws:cloudwatch:{ACCOUNT_ARN}:alarm:{request['AlarmName']}",
            "StateValue": "OK",
        }
        return {}

    def set_alarm_state(self, request: Document) -> Document:
        self.kept[request["AlarmName"]] |= {"StateValue": request["StateValue"], "StateReason": request["StateReason"]}
        return {}

    def describe_alarms(self, request: Document) -> Document:
        prefix, names = request.get("AlarmNamePrefix", ""), request.get("AlarmNames", self.kept)
        found = [self.kept[name] for name in names if name in self.kept and name.startswith(prefix)]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def delete_alarms(self, request: Document) -> Document:
        for name in request["AlarmNames"]:
            self.kept.pop(name, None)
        return {}

    def put_metric_data(self, request: Document) -> Document:
        self.data += [{"Namespace": request["Namespace"], **datum} for datum in request["MetricData"]]
        return {}

    def get_metric_statistics(self, request: Document) -> Document:
        members = ("Namespace", "MetricName", "Dimensions")
        found = [
            {"Timestamp": datum["Timestamp"], "Sum": datum["Value"]}
            for datum in self.data
            if all(datum[name] == request[name] for name in members)
            and request["StartTime"] <= datum["Timestamp"] <= request["EndTime"]
        ]
        return {"Datapoints": [{"Sum": 1.0}] if self.is_busy else found}


@dataclass
class FakeTargets:
    """Application Auto Scaling: scalable targets by resource id, each with its policy."""

    kept: dict[str, Document] = field(default_factory=dict)

    def register_scalable_target(self, request: Document) -> Document:
        self.kept.setdefault(request["ResourceId"], {}).update(request)
        return {}

    def put_scaling_policy(self, request: Document) -> Document:
        self._existing(request)["Policy"] = request
        return {"PolicyARN": f"arn:aws:autoscaling:{ACCOUNT_ARN}:scalingPolicy:{request['PolicyName']}", "Alarms": []}

    def describe_scalable_targets(self, request: Document) -> Document:
        names = request.get("ResourceIds", list(self.kept))
        return {"ScalableTargets": [self.kept[name] for name in names if name in self.kept]}

    def describe_scaling_policies(self, _: Document) -> Document:
        return {"ScalingPolicies": [target["Policy"] for target in self.kept.values() if "Policy" in target]}

    def deregister_scalable_target(self, request: Document) -> Document:
        self._existing(request)
        del self.kept[request["ResourceId"]]
        return {}

    def _existing(self, request: Document) -> Document:
        target = self.kept.get(request["ResourceId"])
        if target is None:
            raise Refused("ObjectNotFoundException", f"No scalable target found for {request['ResourceId']}")
        return target
