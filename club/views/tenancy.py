"""The proof of tenancy, by the member alone."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from club.access import MemberRequest, member_required
from club.domain.tenancy import check_tenancy, has_digests
from club.enums import TenancyResult
from club.forms import TenancyForm
from club.kernel import limits
from club.queries.members import proof_of_tenancy

TRIES_A_DAY = 5


@never_cache
@sensitive_post_parameters()
@member_required
def tenancy(request: MemberRequest) -> HttpResponse:
    """One yes or no; what was typed is not kept."""
    member = request.member
    proof = proof_of_tenancy(member)
    form = TenancyForm(request.POST or None)
    if request.method == "POST" and proof is None and form.is_valid():
        now = timezone.now()
        if limits.hit(f"tenancy:{member.pk}", TRIES_A_DAY, 24 * 3600, now).is_spent:
            form.add_error(None, _("Cinq essais par jour. Revenez demain, ou passez à l’accueil."))
        elif check_tenancy(member, **form.cleaned_data, now=now).result == TenancyResult.YES:
            proof = proof_of_tenancy(member)
        else:
            form.add_error(
                None,
                _("Le bailleur ne trouve pas ce bail. Vérifiez, ou venez avec une quittance."),
            )
    can_check = has_digests(member.household.landlord)
    context = {"form": form, "proof": proof, "can_check": can_check}
    return render(request, "club/tenancy.html", context)
