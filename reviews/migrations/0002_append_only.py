"""Reviews are append-only, and the proposer on a review is the candidate's."""

from django.db import migrations

SQL = """
CREATE FUNCTION pawl_review_proposer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT proposer_id INTO NEW.proposer_id FROM improvement_candidate
        WHERE id = NEW.candidate_id;
    RETURN NEW;
END $$;
CREATE TRIGGER review_proposer BEFORE INSERT ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION pawl_review_proposer();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION pawl_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON reviews_review
    FOR EACH STATEMENT EXECUTE FUNCTION pawl_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_first"), ("improvement", "0002_append_only")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
