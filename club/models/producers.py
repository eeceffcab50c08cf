"""Who brings bread and vegetables: the fact that orders and partners share."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from club.kernel import codes


def public_id() -> str:
    return codes.token()[:10]


class Producer(models.Model):
    """What orders need to know of a partner that delivers.

    The room of the partners keeps it in step with its partner; it is never deleted, so
    that what was ordered keeps its name.
    """

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="producers"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    name = models.CharField(_("nom"), max_length=120)
    phone = models.CharField(_("téléphone"), max_length=20, blank=True)
    is_active = models.BooleanField(_("livre encore"), default=True)

    class Meta:
        verbose_name = _("producteur")
        verbose_name_plural = _("producteurs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
