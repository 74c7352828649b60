"""What an operator hears of: alarms, the dashboard, the topic."""

from __future__ import annotations

import json
import re

import pytest

from sageline.failures.ended_execution import _OUTCOME
from tests.unit.template import documents
from tests.unit.template.documents import Document

DIMENSIONS = {
    "AWS/States": {"StateMachineArn"},
    "AWS/SQS": {"QueueName"},
    "AWS/ApiGateway": {"ApiId"},
    "AWS/Lambda": {"FunctionName"},
    "Sageline": {"service", "stack"},
}


def test_every_alarm_is_told_to_the_topic_and_quiet_while_there_is_nothing(stack: Document) -> None:
    alarms = documents.of_type(stack, "AWS::CloudWatch::Alarm")
    assert len(alarms) == 11
    for name, alarm in alarms.items():
        properties = alarm["Properties"]
        assert properties["AlarmActions"] == [{"Ref": "NotificationTopic"}], name
        assert properties["TreatMissingData"] == "notBreaching", name
        assert properties["AlarmDescription"], name
        assert ("Statistic" in properties) != ("ExtendedStatistic" in properties), name
        assert {dimension["Name"] for dimension in properties["Dimensions"]} == DIMENSIONS[properties["Namespace"]], name


def test_every_queue_of_dead_letters_has_an_alarm(stack: Document) -> None:
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in documents.of_type(stack, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Namespace"] == "AWS/SQS"
    }
    assert watched == documents.of_type(stack, "AWS::SQS::Queue").keys()


def test_an_alarm_on_what_the_sweep_counts_does_not_end_because_the_sweep_came_a_second_late(stack: Document) -> None:
    counting = {
        name: alarm["Properties"]
        for name, alarm in documents.of_type(stack, "AWS::CloudWatch::Alarm").items()
        if alarm["Properties"]["MetricName"] in ("Endpoints", "Leftovers")
    }
    assert counting.keys() == {"EndpointsAlarm", "LeftoversAlarm"}
    for name, alarm in counting.items():
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, 2, 1), name


def test_alarms_of_this_account_and_nothing_else_may_tell(stack: Document) -> None:
    [statement] = stack["Resources"]["NotificationTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_an_e_mail_is_sent_only_if_an_address_is_given(stack: Document) -> None:
    assert stack["Resources"]["NotificationSubscription"]["Condition"] == "HasNotificationEmail"
    assert stack["Parameters"]["NotificationEmail"]["Default"] == ""


@pytest.mark.parametrize("has_tokens", [True, False])
def test_the_dashboard_is_json_and_names_what_is_there(stack: Document, has_tokens: bool) -> None:
    body, variables = stack["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    condition, with_tokens, without = variables["TokenApiMetrics"]["Fn::If"]

    body = body.replace("${TokenApiMetrics}", with_tokens["Fn::Sub"] if has_tokens else without)

    widgets = json.loads(body)["widgets"]
    assert len(widgets) == 6
    for name in re.findall(r"\$\{(\w+)(?:\.\w+)?\}", body):
        assert name in stack["Resources"], name
    apis = {metric[3] for metric in widgets[2]["properties"]["metrics"] if metric[0] == "AWS/ApiGateway"}
    assert apis == {"${HttpApi}", "${JwtApi}"} if has_tokens else {"${HttpApi}"}
    assert condition == stack["Resources"]["JwtApi"]["Condition"]


def test_the_end_of_every_execution_that_did_not_succeed_is_looked_at(stack: Document) -> None:
    pattern = stack["Resources"]["RecordFailureFunctionExecutionEnded"]["Properties"]["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"] == {"stateMachineArn": [{"Ref": "Pipeline"}], "status": sorted(_OUTCOME)}


def test_the_sweep_reports_unless_it_is_told_to_delete(stack: Document) -> None:
    assert stack["Parameters"]["SweepDeletes"]["Default"] == "false"
    assert stack["Resources"]["SweepFunctionHourly"]["Properties"]["ScheduleExpression"] == "rate(1 hour)"
