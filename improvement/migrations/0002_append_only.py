"""Append-only tables refuse UPDATE, DELETE and TRUNCATE in the database itself."""

from django.db import migrations

APPEND_ONLY = [
    "improvement_verdict",
    "improvement_dataset",
    "improvement_datasetitem",
    "improvement_evaluation",
    "improvement_evaluationitem",
    "improvement_signal",
    "improvement_auditrow",
]

FUNCTIONS = """
CREATE FUNCTION pawl_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION pawl_deployment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
       AND (to_jsonb(NEW) - 'ended_at') = (to_jsonb(OLD) - 'ended_at') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'improvement_deployment is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION pawl_frozen_candidate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.frozen_at IS NOT NULL
       AND (to_jsonb(NEW) - '{state,version}'::text[])
           IS DISTINCT FROM (to_jsonb(OLD) - '{state,version}'::text[]) THEN
        RAISE EXCEPTION 'candidate % is frozen: only its state may change', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER deployment_guard BEFORE UPDATE OR DELETE ON improvement_deployment
    FOR EACH ROW EXECUTE FUNCTION pawl_deployment_guard();
CREATE TRIGGER deployment_no_truncate BEFORE TRUNCATE ON improvement_deployment
    FOR EACH STATEMENT EXECUTE FUNCTION pawl_append_only();
CREATE TRIGGER candidate_frozen BEFORE UPDATE ON improvement_candidate
    FOR EACH ROW EXECUTE FUNCTION pawl_frozen_candidate();
"""

TABLE = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION pawl_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION pawl_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("improvement", "0001_first")]
    operations = [
        migrations.RunSQL(
            FUNCTIONS + "".join(TABLE.format(table=t) for t in APPEND_ONLY),
            migrations.RunSQL.noop,
        )
    ]
