"""The statement that everything else is held against."""

BARE_BOOKING = """
    INSERT INTO concierge_loan (
        reference, member_id, place_id, tool_id, copy_id, starts_at, pickup_ends_at, ends_at,
        held_until, due_on, created_at, status, channel, quantity, renewals, sequence)
    SELECT 'R' || left(md5(random()::text), 11), {member}, 1, {tool}, picked.id,
        day.starts, day.starts + interval '9 hours', day.starts + interval '57 hours',
        day.starts + interval '57 hours', (day.starts + interval '2 days')::date, now(),
        'reserved', 'api', 1, 0, 0
    FROM (SELECT date_trunc('day', now()) + interval '8 hours'
            + {day} * interval '1 day' AS starts) AS day,
        LATERAL (
            SELECT c.id FROM concierge_copy c
            WHERE c.tool_id = {tool} AND c.place_id = 1 AND c.status = 'active'
              AND NOT EXISTS (
                SELECT 1 FROM concierge_loan l
                WHERE l.copy_id = c.id AND l.status IN ('reserved', 'ready', 'out')
                  AND l.held_until > day.starts
                  AND l.starts_at < day.starts + interval '57 hours')
            ORDER BY c.id LIMIT 1 FOR NO KEY UPDATE OF c) AS picked
    ON CONFLICT DO NOTHING
"""
"""A booking and nothing else: no token, rule, log, message or key. `{tool}` and so on
are numbers: pgbench's variables, or the view's parameters."""
