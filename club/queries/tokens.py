"""Who stands behind a bearer token, with all that a call needs of them, in one statement.

Each call of the API begins here, so the statement is written out: composing it from
models each time costs ten times what the database needs to answer it.
"""

from functools import cache
from typing import Any

from django.db import connection, models

from club.kernel import codes
from club.kernel.transactions import is_held
from club.models import ApiToken, Landlord, Member, Place, User


def columns(model: type[models.Model], *wanted: str) -> tuple[str, ...]:
    """Those columns, or all, in the model's own order, as `from_db` expects them."""
    names = [str(field.attname) for field in model._meta.concrete_fields]
    return tuple(name for name in names if not wanted or name in wanted)


READ: dict[type[models.Model], tuple[str, ...]] = {
    ApiToken: columns(ApiToken, "id", "user_id", "scope"),
    User: columns(User, "id", "first_name", "last_name", "email", "phone", "is_active"),
    Member: columns(Member, "id", "user_id", "household_id", "place_id"),
    Place: columns(Place),
    Landlord: columns(Landlord),
}
"""What is read of each; any other column would be fetched when it is asked for."""


@cache
def statement() -> str:
    tables = [model._meta.db_table for model in READ]
    read = [f"{model._meta.db_table}.{name}" for model, names in READ.items() for name in names]
    token, user, member, place, landlord = tables
    return f"""
        SELECT {", ".join(read)} FROM {token}
        JOIN {user} ON {user}.id = {token}.user_id
        LEFT JOIN {member} ON {member}.user_id = {user}.id
        LEFT JOIN {place} ON {place}.id = {member}.place_id
        LEFT JOIN {landlord} ON {landlord}.id = {place}.landlord_id
        WHERE {token}.digest = %s AND {token}.revoked_at IS NULL AND {user}.is_active
    """  # noqa: S608


def one(sql: str, plain: str) -> ApiToken | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [codes.digest(plain)])
        values = cursor.fetchone()
    return None if values is None else built(values)


def built(values: tuple[Any, ...]) -> ApiToken:
    rows: dict[Any, Any] = {}
    start = 0
    for model, names in READ.items():
        here = values[start : start + len(names)]
        rows[model] = model.from_db(connection.alias, names, here)
        start += len(names)
    token: ApiToken = rows[ApiToken]
    token.user = rows[User]
    if rows[Member].pk is not None:
        member = rows[Member]
        member.user = token.user
        member.place = rows[Place]
        member.place.landlord = rows[Landlord]
    else:
        User.member.related.set_cached_value(token.user, None)
    return token


def bearer(plain: str) -> ApiToken | None:
    return one(statement(), plain)


def bearer_under_lock(plain: str) -> ApiToken | None:
    """The same, and the member's row stays locked until the transaction ends."""
    if not connection.features.has_select_for_update:
        return bearer(plain)
    table = Member._meta.db_table
    inner = statement().replace(f"LEFT JOIN {table}", f"JOIN {table}")
    token = one(f"{inner} FOR NO KEY UPDATE OF {table}", plain)
    if token is None:
        return bearer(plain)
    is_held(token.user.member)
    return token
