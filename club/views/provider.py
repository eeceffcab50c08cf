"""Where the payment provider leaves its messages. Signed, kept, answered; handled later."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from club import gateway
from club.domain.provider_events import receive

MOST_BYTES = 256 * 1024


@csrf_exempt
@require_POST
@never_cache
def webhook(request: HttpRequest) -> HttpResponse:
    """200 says "kept": the provider sends again whatever is answered otherwise."""
    if not settings.STRIPE_WEBHOOK_SECRET:
        raise Http404
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return HttpResponse("Too long.", status=413, content_type="text/plain")
    try:
        told = gateway.open_message(body, request.headers.get("Stripe-Signature", ""))
    except gateway.Unsigned:
        return HttpResponse("Not signed.", status=400, content_type="text/plain")
    receive(told, now=timezone.now())
    return HttpResponse("Kept.", content_type="text/plain")
