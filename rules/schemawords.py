"""What an editor shows beside each field of a policy file.  A kind's own fields are described by its docstring (``field``: words)."""

from __future__ import annotations

import inspect
import re
from typing import Any

_NAMED = re.compile(r"``(\w+)``(?: with ``\w+``)?(?:, ``(\w+)``)?: (.+?)(?=\s*``\w+``(?: with|,|:)|\Z)", re.DOTALL)

FIELDS: dict[str, dict[str, str]] = {
    "PolicyFile": {
        "policy": "The policy's name in commands, results and parameters: lower-case letters, digits and _.",
        "title": "What people call the policy.",
        "version": 'The name of this version, in quotes ("2").',
        "effective": "The day from which this version holds (2026-01-31). What is activated on or after it is judged by this version.",
        "applies_to_open": "Whether episodes that are open on the effective day are judged by this version throughout.",
        "zone": "The time zone whose days count (Australia/Darwin).",
        "zones": "Other time zones by program.",
        "catalogue": "The file with the event types, beside the policy or below it.",
        "program": "The program that a case must name to be in this policy's scope; without it every case is.",
        "calendar": "The holiday table for business days: NAME stands for calendars/NAME.yaml.",
        "offices": "Offices with a zone, calendar or holidays of their own.",
        "documents": "The documents that rules rest on: a short name and the title of each.",
        "parameters": "Numbers that the policy's owner sets. One without a default ships unset, and what needs it is never a breach.",
        "terms": "Words of the policy: which events they stand for.",
        "anchors": "Days from which weeks count.",
        "collections": "Things that a document lists: goals or actions of a plan.",
        "questions": "How the text is read where it leaves a choice.",
        "for_a_person": "What only a person can judge.",
        "rules": "The rules.",
    },
    "RuleHead": {
        "id": "The rule's id, which never changes: letters, digits, _ . and -.",
        "title": "The requirement in a few words.",
        "guidance": "What the rule is for and how it is read, in a sentence or two.",
        "cites": "Where the rule comes from: a document of the policy, and the step or heading in it.",
        "severity": "How grave a breach is.",
        "status": "draft: tests only. shadow: judged and stored, opens no breach. enforced: opens breaches. retired: no longer judged.",
        "unmet": "The finding in a few words, as a breach list shows it (No completed safety plan by the end of the 3rd visit).",
        "false_alarm": "What would be a false alarm, and what to look at before upholding a breach.",
        "clauses": "Several kinds of one rule, each with its own fields. Else the kind stands in the rule itself.",
    },
    "Kind": {
        "kind": "The kind of rule.",
        "when": "What activates it: {first: EVENT}, {each: EVENT}, {first_of_each: {...}}, {all_done: COLLECTION} or episode.",
        "requires": "What is asked for: an event or term, or {event: EVENT, where: CONDITIONS, ...}.",
        "within": "The limit: {weeks: 6}, {business_days: 10} or {days: $parameter}. The first day is not counted, the last one is.",
        "warn": "How long before the due day the warning window opens.",
        "warn_from": "How long after the anchor the warning window opens.",
        "every": "The longest gap: {days: 14} or {days: $parameter}.",
        "per": "One obligation for each member in one of these roles; $person stands for the member.",
        "where": "What must hold: attributes with their tests.",
        "anchor": "The anchor from which the limit counts.",
        "by": "The limit as something that happens.",
        "at_latest": "The day by which it must be done whatever the period says: {first: EVENT}, or closure.",
        "ends_with": "What ends the obligation without fulfilling it.",
        "examines": "The event whose data are looked at, if it is not the activating one: the last such event before it.",
        "compare": "moment: it must have come before. day: the same local day is in time.",
        "excused_by": "Events that free a member.",
        "verdicts": "unknown: counts the verdicts that could not be given.",
    },
    "Period": {
        "days": "Calendar days, or $parameter.",
        "weeks": "Calendar weeks.",
        "months": "Calendar months.",
        "business_days": "Days that are no Saturday, Sunday or holiday of the calendar.",
        "roll": "forward: an end that is no business day moves to the next one.",
    },
    "Test": {
        "equals": "Is this value. A bare value is short for it.",
        "in": "Is one of these values. A bare list is short for it.",
        "differs_from": "Is none of these values.",
        "has": "Holds this value (a list).",
        "has_all": "Holds all of these values.",
        "has_any": "Holds at least one of these values.",
        "at_least": "Is at least this number; of a list: has at least so many parts.",
        "at_most": "Is at most this number; of a list: has at most so many parts.",
        "before": "Is before this day or instant.",
        "after": "Is after this day or instant.",
        "present": "true: is there. false: is absent. Where presence is the requirement, absence is plainly false.",
        "includes_role": "One of the participants has one of these roles, in the event or in the household on that day.",
        "each": "Holds of every part of the list.",
        "some": "Holds of at least one part of the list.",
    },
    "Where": {
        "all": "All of these hold.",
        "any": "At least one of these holds.",
        "not": "This does not hold.",
    },
    "Selector": {
        "event": "An event type or term, or a list of them.",
        "where": "What must hold of the event.",
        "same": "Attributes that must equal those of the activating event.",
        "of": "attempt: only events of the activating event's closure attempt.",
        "related": "Also in cases that share a child with this one.",
    },
    "Parameter": {
        "unit": "What the number counts.",
        "default": "The number as shipped; leave it out where the owner has to decide.",
        "question": "What the parameter asks of the policy's owner.",
    },
    "Anchor": {
        "first": "The term whose first event begins the count.",
        "if_within": "It must have taken place within this period of the other event, else that one begins the count.",
        "of": "The other event.",
        "means": "The anchor in words.",
    },
    "Term": {
        "event": "The event types that the term stands for.",
        "where": "What must hold of them.",
        "once_per": "The same thing reported by two sources, alike in these attributes and in the day, counts once.",
        "means": "The term in words.",
    },
    "Collection": {
        "of": "The events that carry the list.",
        "document": "The attribute that names the document of which the event is a version.",
        "list": "The attribute with the items.",
        "id": "An item's id.",
        "date": "An item's own due date.",
        "moved_by": "An event that gives an item another date.",
        "done_by": "The event that does an item; $item.id is the item's id.",
    },
    "MovedBy": {"event": "The event type.", "item": "Its attribute that names the item.", "date": "Its attribute with the new date."},
    "Office": {"zone": "The office's time zone.", "calendar": "Its holiday table.", "holidays": "Holidays of its own, besides."},
    "Question": {"about": "What the text leaves open.", "reading": "How it is read here, and what else it could mean."},
    "Previous": {
        "attribute": "What is read of the event of the same type before this one.",
        "same": "Attributes in which the two must be alike.",
        "same_or_absent": "The same, where two absences are alike too.",
    },
    "Ref": {
        "state": "The value of a declared state of the case at the time of the event.",
        "last": "Of these events up to this one, the last one's attribute.",
        "greatest": "Of these events up to this one, the greatest attribute.",
        "previous": "An attribute of the event of the same type before this one.",
        "attribute": "The attribute that is read.",
        "if_none": "What the comparison gives where there is no such event.",
    },
    "Cancelled": {
        "event": "The event type that takes the evidence back.",
        "where": "What must hold of it.",
        "names": "Its attribute that names what it takes back; without it, whatever came before.",
    },
    "ClosedAs": {
        "where": "What must hold of the closure.",
        "of": "attempt: that of the activating event. episode: the standing one.",
    },
    "EachItem": {"collection": "The collection.", "where": "What must hold of each of its items."},
    "FirstOfEach": {"event": "The events.", "by": "The attribute: the first event for each of its values counts."},
    "Given": {
        "exists": "Such an event must be on record.",
        "earlier": "Such an event must have come before.",
        "closed_as": "The closure, once there is one, must be such.",
    },
    "Nth": {
        "nth": "Which one: by the day of this one it must be done.",
        "of": "The term whose events are counted, each real one once.",
        "warn_after": "The warning window opens with this one.",
    },
    "Members": {"event": "The event type.", "attribute": "Its attribute with the persons."},
    "Citation": {"document": "One of the policy's documents.", "at": "The step or heading in it."},
}
FIELDS["Requires"] = {
    **FIELDS["Selector"],
    "takes": "last: only the last such event counts, and `that` must hold of it.",
    "that": "What must hold of the last one.",
    "collects": "Values that the events must bring together, by attribute.",
    "roles": "The list of participants whose roles `collects` asks for.",
    "for_every": "Every current item of this collection must be done.",
    "and_each": "Besides, a condition on every current item of a collection.",
    "after_last": "Only what came after the last of these events.",
    "unless_followed_by": "What takes the evidence back.",
    "itself": "Or this holds of the activating event.",
}


def described(schema: dict[str, Any], model: str, doc: str | None = None) -> dict[str, Any]:
    """The schema of a model with a description at each field that has none."""
    own = {**(FIELDS["Kind"] if doc is not None else {}), **FIELDS.get(model, {}), **_from_doc(doc)}
    for name, field in schema.get("properties", {}).items():
        if name in own:
            field["description"] = own[name]
    return schema


def _from_doc(doc: str | None) -> dict[str, str]:
    """What a docstring says of fields: ``name``: words."""
    found: dict[str, str] = {}
    for first, second, words in _NAMED.findall(inspect.cleandoc(doc or "")):
        text = " ".join(words.replace("``", "`").split())
        found |= {name: text[:1].upper() + text[1:] for name in (first, second) if name}
    return found
