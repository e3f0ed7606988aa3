"""Earlier generations of an automation: what they had come to is known to the one that goes on from there."""

from uuid import UUID

from database import journal, notifications
from database.connection import Connection


async def carry_over(connection: Connection, automation_id: UUID) -> None:
    """Journal what has become of each step in earlier generations of an automation, but for what had not come due by now."""
    await connection.execute(
        """
        INSERT INTO workflow_execution_logs
            (workflow_id, slot, round, step_id, step_name, action_type, status, started_at, completed_at, due_at, ended_at, result)
        SELECT DISTINCT ON (l.step_id) mine.id, l.slot, l.round, l.step_id, l.step_name, l.action_type,
               CASE WHEN l.status IN ('success', 'failed') THEN l.status ELSE 'skipped' END,
               l.started_at, coalesce(l.completed_at, now()), l.due_at, coalesce(l.ended_at, eventos_now(mine.event_id)),
               jsonb_build_object('reason', coalesce(l.result ->> 'reason', 'of an earlier run'))
        FROM automation_workflows mine
        JOIN automation_workflows a ON a.workflow_type = mine.workflow_type AND a.subject_id = mine.subject_id
                                       AND a.generation < mine.generation
        JOIN workflow_execution_logs l ON l.workflow_id = a.id
        WHERE mine.id = $1 AND l.due_at <= eventos_now(mine.event_id) AND NOT starts_with(l.slot, $2)
        ORDER BY l.step_id, l.round DESC, a.generation DESC
        ON CONFLICT DO NOTHING
        """,
        *(automation_id, notifications.NOTICES),
    )
    await journal.recount(connection, [automation_id])
