"""What a scan does with a stay or a bunch of keys: it opens the person, for a concierge."""

from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _

from club.kernel import codes
from club.kernel.spans import local_day
from concierge.domain.keys import closed
from concierge.enums import ON_HOOK
from concierge.kinds_stays import days_words
from concierge.models import KeySet, Stay
from concierge.queries.stays import keeps_watch
from desk.acts import Counter
from desk.screen import Result, Screen, members_at


def by_reference(counter: Counter, code: str) -> Screen | None:
    """The tag on the hook, or the code of a message; unknown to who keeps no watch here."""
    if not keeps_watch(counter.by, counter.place):
        return None
    keys = KeySet.objects.filter(reference=code, place=counter.place).first()
    if keys is not None:
        return opened(counter, keys.member_id, code, keys_read(keys))
    stay = Stay.objects.filter(reference=code, place=counter.place).select_related("service")
    found = stay.first()
    if found is None:
        return None
    return opened(counter, found.member_id, code, stay_read(found, counter))


def keys_read(keys: KeySet) -> Result:
    word = _("Clés %(code)s.") % {"code": codes.spoken(keys.reference)}
    way, label = reverse("desk:key", args=[keys.reference]), _("Ouvrir les clés")
    if keys.status not in ON_HOOK:
        return Result(
            "attention", word, str(closed(keys).reasons[0].text), way=way, way_label=label
        )
    said = _("Crochet %(hook)s, %(state)s.") % {
        "hook": keys.hook,
        "state": keys.get_status_display(),
    }
    return Result("done", word, said, way=way, way_label=label)


def stay_read(stay: Stay, counter: Counter) -> Result:
    said = _("%(service)s, %(days)s, %(state)s.") % {
        "service": stay.service.name,
        "days": days_words(stay, local_day(counter.now)),
        "state": stay.get_status_display(),
    }
    way = reverse("desk:stay", args=[stay.reference])
    return Result("done", _("Garde lue."), said, way=way, way_label=_("Ouvrir la garde"))


def opened(counter: Counter, member_id: int, code: str, result: Result) -> Screen:
    member = members_at(counter.place).filter(pk=member_id).first()
    return replace(counter, member=member).screen(marked=code, result=result)
