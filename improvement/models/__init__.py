"""One aggregate a file; import models from here."""

from improvement.models.agents import Agent
from improvement.models.audit import AuditRow
from improvement.models.base import AppendOnlyError
from improvement.models.candidates import Candidate, CandidateStates, Dataset, DatasetItem
from improvement.models.deployments import Deployment, DeploymentKinds
from improvement.models.evaluations import Evaluation, EvaluationItem, EvaluationKinds
from improvement.models.labels import Label, LabelAnswers, LabelItem
from improvement.models.licences import JunkReport, LicenceEvent
from improvement.models.likeness import TaskBand, TaskSignature
from improvement.models.runs import Doorbell, Run, RunStates, Stage, StageStates
from improvement.models.sealed import SealedAnswer
from improvement.models.signals import Hold, Signal, Warning
from improvement.models.tasks import Block, Splits, Suite, Task
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
    "JunkReport",
    "Label",
    "LabelAnswers",
    "LabelItem",
    "LicenceEvent",
    "Purposes",
    "Run",
    "RunStates",
    "SealedAnswer",
    "Signal",
    "Splits",
    "Stage",
    "StageStates",
    "Step",
    "Suite",
    "Task",
    "TaskBand",
    "TaskSignature",
    "Tokens",
    "Trajectory",
    "Verdict",
    "Verifier",
    "Warning",
]
