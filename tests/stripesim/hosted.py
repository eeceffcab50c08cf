"""The pages that Stripe would host: paying, the bank's check, the portal. Plain HTML."""

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from . import billing, checkout, payments
from .errors import ApiError
from .idempotency import Answer

if TYPE_CHECKING:
    from .http import App

Thing = dict[str, Any]
Fields = dict[str, str]
NAMES = {"card": "Carte bancaire", "sepa_debit": "Prélèvement SEPA"}
WORDS = {
    "invalid_bank_account_iban": "Cet IBAN n’est pas valable.",
    "incorrect_number": "Ce numéro de carte n’est pas valable.",
}
PERIODS = {
    "month": ("mois", "tous les"),
    "year": ("an", "tous les"),
    "week": ("semaine", "toutes les"),
    "day": ("jour", "tous les"),
}
STYLE = """
body{font:1.125rem/1.5 sans-serif;margin:2rem auto;max-width:34rem;padding:0 1rem;color:#1a1a1a}
fieldset{border:1px solid #767676;margin:1rem 0;padding:1rem}
label{display:block;margin:.5rem 0}
input[type=text],input[type=email]{display:block;font:inherit;padding:.5rem;width:100%;
box-sizing:border-box}
button{font:inherit;padding:.75rem 1.5rem;margin:.5rem .5rem .5rem 0}
.error{color:#8b0000;font-weight:bold}
"""


def answer(app: "App", verb: str, path: str, fields: Fields) -> Answer:
    parts = path.strip("/").split("/")
    try:
        with app.store.work():
            status, text = dispatch(app, verb, parts, fields)
    except ApiError as error:
        status, text = error.status, page("Paiement", f"<p>{escape(str(error))}</p>")
    if status == 303:
        return Answer(303, b"", {"Location": text}, "text/html; charset=utf-8")
    return Answer(status, text.encode(), content_type="text/html; charset=utf-8")


def dispatch(app: "App", verb: str, parts: list[str], fields: Fields) -> tuple[int, str]:
    s = app.store
    match parts:
        case ["c", "pay", key]:
            session = s.find("checkout.session", key)
            if session is None:
                return 404, page("Paiement", "<p>Cette page de paiement n’existe pas.</p>")
            return (
                pay(app, session, fields) if verb == "POST" else (200, payment_page(app, session))
            )
        case ["3ds", key]:
            intent = s.need("payment_intent", key)
            return bank(app, intent, fields) if verb == "POST" else (200, bank_page(intent))
        case ["p", "session", key]:
            portal = s.find("billing_portal.session", key)
            if portal is None:
                return 404, page("Espace client", "<p>Cette page n’existe pas.</p>")
            return manage(app, portal, fields) if verb == "POST" else portal_page(app, portal)
        case ["invoice", key]:
            invoice = s.need("invoice", key)
            if verb == "POST":
                return pay_late(app, invoice, fields)
            return 200, invoice_page(app, invoice)
        case _:
            return 404, page("Introuvable", "<p>Cette page n’existe pas.</p>")


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}\u00a0€"


def day(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).strftime("%d/%m/%Y")


# Paying.


def payment_page(app: "App", session: Thing, error: str = "", fields: Fields | None = None) -> str:
    s = app.store
    late = session["status"] == "expired" and s.modes["allow_pay_expired"]
    if session["status"] == "complete":
        return page("Paiement", "<p>Ce paiement est terminé.</p>" + link_back(session))
    if session["status"] == "expired" and not late:
        return page("Paiement", "<p>Cette page de paiement a expiré.</p>" + link_back(session))
    setup = session["mode"] == "setup"
    title = "Moyen de paiement" if setup else f"Payer {euros(session['amount_total'])}"
    lines = "".join(
        f"<li>{escape(line['description'])}\u00a0: {euros(line['amount_total'])}"
        f"{period_words(line['price'])}</li>"
        for line in s.hidden[session["id"]]["line_items"]
    )
    body = (f"<ul>{lines}</ul>" if lines else "") + means_form(
        session["payment_method_types"],
        fields or {},
        error,
        label="Enregistrer" if setup else "Payer",
        more='<button name="action" value="back" formnovalidate>Retour</button>',
    )
    return page(title, body)


def means_form(
    offered: list[str],
    typed: Fields,
    error: str = "",
    *,
    label: str = "Payer",
    action: str = "pay",
    more: str = "",
) -> str:
    chosen = typed.get("method", offered[0])
    radios = "".join(
        f'<label><input type="radio" name="method" value="{kind}"'
        f"{' checked' if kind == chosen else ''}> {NAMES[kind]}</label>"
        for kind in offered
    )
    return (
        (f'<p class="error" role="alert">{escape(error)}</p>' if error else "")
        + '<form method="post"><fieldset><legend>Moyen de paiement</legend>'
        + radios
        + "</fieldset>"
        + text_field("name", "Nom du titulaire", typed)
        + (text_field("number", "Numéro de carte", typed) if "card" in offered else "")
        + (text_field("iban", "IBAN", typed) if "sepa_debit" in offered else "")
        + f'<button name="action" value="{action}">{label}</button>{more}</form>'
    )


def number_in(fields: Fields, kind: str) -> str | None:
    return fields.get("iban" if kind == "sepa_debit" else "number") or None


def words_of(error: ApiError) -> str:
    return WORDS.get(error.body.get("code", ""), str(error))


def period_words(price: Thing) -> str:
    if not price["recurring"]:
        return ""
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    if (interval, count) == ("month", 12):
        interval, count = "year", 1
    one, many = PERIODS[interval]
    return f" par {one}" if count == 1 else f" {many} {count} {one.removesuffix('s')}s"


def text_field(name: str, label: str, typed: Fields) -> str:
    value = escape(typed.get(name, ""), quote=True)
    return (
        f'<label for="{name}">{label}</label>'
        f'<input type="text" id="{name}" name="{name}" value="{value}" autocomplete="off">'
    )


def link_back(session: Thing) -> str:
    where = session["cancel_url"]
    return f'<p><a href="{escape(where, quote=True)}">Retour</a></p>' if where else ""


def pay(app: "App", session: Thing, fields: Fields) -> tuple[int, str]:
    if fields.get("action") == "back":
        return 303, session["cancel_url"] or session["success_url"]
    kind = fields.get("method") or session["payment_method_types"][0]
    try:
        ended = checkout.pay(
            app.store,
            session,
            kind,
            number=number_in(fields, kind),
            name=fields.get("name") or None,
        )
    except ApiError as error:
        words = words_of(error)
        return (422 if words != str(error) else 409), payment_page(app, session, words, fields)
    if ended == "requires_action":
        return 303, f"{app.store.base}/3ds/{app.store.hidden[session['id']]['intent']}"
    if ended == "declined":
        return 402, payment_page(app, session, "Ce paiement est refusé.", fields)
    return 303, arrival(session)


def arrival(session: Thing) -> str:
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def bank_page(intent: Thing) -> str:
    if intent["status"] != "requires_action":
        return page("Votre banque", "<p>Rien n’est à confirmer.</p>")
    return page(
        "Votre banque",
        f"<p>Confirmez le paiement de {euros(intent['amount'])}.</p>"
        '<form method="post"><button name="action" value="pass">Confirmer</button>'
        '<button name="action" value="fail">Refuser</button></form>',
    )


def bank(app: "App", intent: Thing, fields: Fields) -> tuple[int, str]:
    s = app.store
    session = next(
        (x for x in s.all("checkout.session") if s.hidden[x["id"]]["intent"] == intent["id"]), None
    )
    if session is None:
        raise ApiError(400, "Only a payment page asks for authentication here.")
    ended = checkout.authenticate(s, session, fields.get("action") == "pass")
    if ended == "complete":
        return 303, arrival(session)
    return 402, payment_page(app, session, "La banque a refusé ce paiement.")


# The portal.


def portal_page(app: "App", portal: Thing, error: str = "") -> tuple[int, str]:
    s = app.store
    customer = s.need("customer", portal["customer"])
    flow = portal["flow"]
    parts = [f'<p class="error" role="alert">{escape(error)}</p>' if error else ""]
    if flow is None or flow["type"] == "payment_method_update":
        parts.append(means_part(app, customer))
    if flow is None or flow["type"] == "subscription_cancel":
        parts.append(subscriptions_part(app, customer, flow))
    if flow is None:
        parts.append(invoices_part(app, customer))
    if portal["return_url"]:
        parts.append(f'<p><a href="{escape(portal["return_url"], quote=True)}">Retour</a></p>')
    return (422 if error else 200), page("Votre abonnement", "".join(parts))


def means_part(app: "App", customer: Thing) -> str:
    s = app.store
    mine = [x for x in s.all("payment_method") if x["customer"] == customer["id"]]
    default = customer["invoice_settings"]["default_payment_method"]
    items = "".join(
        f"<li>{NAMES[x['type']]} se terminant par {x[x['type']]['last4']}"
        f"{' (par défaut)' if x['id'] == default else ''}</li>"
        for x in mine
    )
    known = f"<ul>{items}</ul>" if items else "<p>Aucun moyen de paiement.</p>"
    form = means_form(
        s.modes["offered_methods"], {}, label="Changer de moyen de paiement", action="change"
    )
    return f"<h2>Moyens de paiement</h2>{known}{form}"


def subscriptions_part(app: "App", customer: Thing, flow: Thing | None) -> str:
    s = app.store
    only = flow["subscription_cancel"]["subscription"] if flow else None
    parts = []
    for subscription in s.all("subscription"):
        if subscription["customer"] != customer["id"] or only not in (None, subscription["id"]):
            continue
        if subscription["status"] in billing.ENDED:
            continue
        until = day(billing.period_of(subscription)[1])
        if subscription["cancel_at_period_end"]:
            words, action, label = f"Prend fin le {until}", "renew", "Reprendre l’abonnement"
        else:
            words, action, label = f"Se renouvelle le {until}", "cancel", "Arrêter l’abonnement"
        parts.append(
            f"<p>{words}</p>"
            f'<form method="post"><input type="hidden" name="subscription" '
            f'value="{subscription["id"]}">'
            f'<button name="action" value="{action}">{label}</button></form>'
        )
    return "<h2>Abonnement</h2>" + ("".join(parts) or "<p>Aucun abonnement.</p>")


def invoices_part(app: "App", customer: Thing) -> str:
    items = "".join(
        f'<li><a href="{x["hosted_invoice_url"] or "#"}">{day(x["created"])}, '
        f"{euros(x['total'])}</a></li>"
        for x in app.store.all("invoice")
        if x["customer"] == customer["id"]
    )
    return f"<h2>Factures</h2><ul>{items}</ul>" if items else ""


def manage(app: "App", portal: Thing, fields: Fields) -> tuple[int, str]:
    s = app.store
    customer = s.need("customer", portal["customer"])
    action = fields.get("action")
    if action == "change":
        kind = fields.get("method", "card")
        try:
            checkout.change_method(
                s,
                customer,
                kind,
                number=number_in(fields, kind),
                name=fields.get("name") or None,
            )
        except ApiError as error:
            return portal_page(app, portal, words_of(error))
    elif action in ("cancel", "renew"):
        subscription = s.need("subscription", fields.get("subscription", ""))
        if subscription["customer"] != customer["id"]:
            return portal_page(app, portal, "Cet abonnement n’est pas à vous.")
        billing.cancel_at_end(s, subscription, action == "cancel")
    else:
        return portal_page(app, portal, "Cette action n’existe pas.")
    flow = portal["flow"]
    if flow and flow["after_completion"]["redirect"]:
        return 303, flow["after_completion"]["redirect"]["return_url"]
    return 303, portal["url"]


# An invoice's own page, where a late one is paid.


def invoice_page(app: "App", invoice: Thing, error: str = "", typed: Fields | None = None) -> str:
    title = f"Facture {invoice['number'] or ''}"
    if invoice["status"] != "open" or billing.under_way(app.store, invoice):
        state = {"open": "paiement en cours", "paid": "payée"}.get(invoice["status"], "close")
        return page(title, f"<p>{euros(invoice['total'])}\u00a0: {state}</p>")
    form = means_form(app.store.modes["offered_methods"], typed or {}, error)
    return page(title, f"<p>{euros(invoice['amount_remaining'])} à payer</p>{form}")


def pay_late(app: "App", invoice: Thing, fields: Fields) -> tuple[int, str]:
    s = app.store
    if invoice["status"] != "open" or billing.under_way(s, invoice):
        return 409, invoice_page(app, invoice)
    kind = fields.get("method", "card")
    customer = s.need("customer", invoice["customer"])
    try:
        method = payments.new_method(
            s, kind, number=number_in(fields, kind), name=fields.get("name") or None
        )
    except ApiError as error:
        return 422, invoice_page(app, invoice, words_of(error), fields)
    payments.attach(s, method, customer)
    billing.collect(s, invoice, method, on_session=True)
    intent = billing.intent_of(s, invoice)
    if intent and intent["status"] not in ("succeeded", "processing"):
        return 402, invoice_page(app, invoice, "Ce paiement est refusé.", fields)
    return 303, f"{s.base}/invoice/{invoice['id']}"
