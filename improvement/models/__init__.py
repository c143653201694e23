"""One aggregate a file; import models from here."""

from improvement.models.agents import Agent
from improvement.models.audit import AuditRow
from improvement.models.base import AppendOnlyError
from improvement.models.candidates import Candidate, CandidateStates, Dataset, DatasetItem
from improvement.models.deployments import Deployment, DeploymentKinds
from improvement.models.evaluations import Evaluation, EvaluationItem, EvaluationKinds
from improvement.models.runs import Doorbell, Run, RunStates, Stage, StageStates
from improvement.models.signals import Hold, Signal, Warning
from improvement.models.tasks import Block, Splits, Task
from improvement.models.trajectories import Answers, Purposes, Step, Tokens, Trajectory
from improvement.models.verdicts import Verdict, Verifier

__all__ = [
    "Agent",
    "Answers",
    "AppendOnlyError",
    "AuditRow",
    "Block",
    "Candidate",
    "CandidateStates",
    "Dataset",
    "DatasetItem",
    "Deployment",
    "DeploymentKinds",
    "Doorbell",
    "Evaluation",
    "EvaluationItem",
    "EvaluationKinds",
    "Hold",
    "Purposes",
    "Run",
    "RunStates",
    "Signal",
    "Splits",
    "Stage",
    "StageStates",
    "Step",
    "Task",
    "Tokens",
    "Trajectory",
    "Verdict",
    "Verifier",
    "Warning",
]
