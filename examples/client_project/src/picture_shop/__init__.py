"""A shop that sells pictures which an image API makes."""

from picture_shop.callbacks import CallbackReceiver
from picture_shop.client import (
    GaveUp,
    LinkExpired,
    OutcomeUnknown,
    PictureClient,
    PictureError,
    Refused,
    Task,
    TaskFailed,
)
from picture_shop.sales import Sales

__all__ = [
    "CallbackReceiver",
    "GaveUp",
    "LinkExpired",
    "OutcomeUnknown",
    "PictureClient",
    "PictureError",
    "Refused",
    "Sales",
    "Task",
    "TaskFailed",
]
