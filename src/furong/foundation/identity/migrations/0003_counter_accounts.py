from django.db import migrations, models

# Fires only where replication writes, which is at a counter's node: there an account is what the platform says, and what the
# node itself keeps of it (the last code that was used, when somebody was last here) stays. Apply workers have no search_path.
TAKE = """
CREATE OR REPLACE FUNCTION public.identity_take_counter_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    UPDATE public.identity_account SET is_active = false, password = '!', credentials_version = credentials_version + 1
     WHERE id = OLD.account_id;
    DELETE FROM public.mfa_authenticator WHERE user_id = OLD.account_id;
    DELETE FROM public.identity_session WHERE account_id = OLD.account_id;
    RETURN NULL;
  END IF;
  UPDATE public.identity_account SET username = id::text, is_active = false WHERE username = NEW.username AND id <> NEW.account_id;
  INSERT INTO public.identity_account AS a (id, password, username, kind, display_name, assurance, phone, language, is_active,
      must_change_password, credentials_version, created_at)
  VALUES (NEW.account_id, NEW.password, NEW.username, 'staff', NEW.display_name, 1, '', NEW.language, NEW.is_active,
      NEW.must_change_password, NEW.credentials_version, NEW.created_at)
  ON CONFLICT (id) DO UPDATE SET password = excluded.password, username = excluded.username,
      display_name = excluded.display_name, language = excluded.language, is_active = excluded.is_active,
      must_change_password = excluded.must_change_password, credentials_version = excluded.credentials_version;
  IF NEW.factor = '' THEN
    DELETE FROM public.mfa_authenticator WHERE user_id = NEW.account_id;
  ELSIF TG_OP = 'INSERT' OR NEW.factor IS DISTINCT FROM OLD.factor THEN
    UPDATE public.mfa_authenticator SET data = jsonb_set(data::jsonb, '{secret}', to_jsonb(NEW.factor))
     WHERE user_id = NEW.account_id AND type = 'totp';
    IF NOT FOUND THEN
      INSERT INTO public.mfa_authenticator (user_id, type, data, created_at)
      VALUES (NEW.account_id, 'totp', jsonb_build_object('secret', NEW.factor, 'last_step', 0), NEW.created_at);
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER identity_take_counter_account AFTER INSERT OR UPDATE OR DELETE ON public.identity_counter_account
  FOR EACH ROW EXECUTE FUNCTION public.identity_take_counter_account();
ALTER TABLE public.identity_counter_account ENABLE REPLICA TRIGGER identity_take_counter_account;
"""
LEAVE = "DROP FUNCTION IF EXISTS public.identity_take_counter_account() CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0002_enterprise_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="CounterAccount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "centre", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("centre", models.TextField()),
                ("account_id", models.UUIDField()),
                ("username", models.TextField()),
                ("password", models.TextField()),
                ("display_name", models.TextField()),
                ("language", models.TextField(default="")),
                ("is_active", models.BooleanField()),
                ("must_change_password", models.BooleanField()),
                ("credentials_version", models.IntegerField()),
                ("created_at", models.DateTimeField()),
                ("factor", models.TextField(default="")),
                ("factor_source", models.TextField(default="")),
            ],
            options={"db_table": "identity_counter_account"},
        ),
        migrations.RunSQL(TAKE, LEAVE),
    ]
