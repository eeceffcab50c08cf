from events.models.pages import EventIndex, EventPage, Question, Schedule
from events.models.registrations import Answer, CheckIn, Participant, Registration, WalkIn
from events.models.sessions import EventPolicy, Session, Terms

__all__ = [
    "Answer",
    "CheckIn",
    "EventIndex",
    "EventPage",
    "EventPolicy",
    "Participant",
    "Question",
    "Registration",
    "Schedule",
    "Session",
    "Terms",
    "WalkIn",
]
