create table "account" (
  name text not null,
  "passwordHash" text,
  "passwordTime" timestamp with time zone,
  id uuid default gen_random_uuid() not null,
  identity text not null,
  kind text default 'user'::text not null,
  source text default 'local'::text not null,
  "sourceKey" text,
  title text,
  email text,
  "createTime" timestamp with time zone default now() not null,
  "disableTime" timestamp with time zone,
  "lastSignInTime" timestamp with time zone,
  constraint account_id_key UNIQUE (id),
  constraint account_identity_key UNIQUE (identity),
  constraint account_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'machine'::text]))),
  constraint "account_source_sourceKey_key" UNIQUE (source, "sourceKey"),
  constraint local_user_pkey PRIMARY KEY (name)
);
CREATE TRIGGER account_identity BEFORE INSERT ON public.account FOR EACH ROW EXECUTE FUNCTION give_identity();
CREATE TRIGGER account_told AFTER INSERT OR DELETE OR UPDATE OF name, "disableTime", kind ON public.account FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "application" (
  environment text not null,
  name text not null,
  definition jsonb not null,
  operation uuid not null,
  changing boolean not null,
  deleting boolean default false not null,
  "changeTime" timestamp with time zone not null,
  constraint application_environment_fkey FOREIGN KEY (environment) REFERENCES environment(name),
  constraint application_pkey PRIMARY KEY (environment, name)
);

create table "audit_event" (
  sequence bigint not null,
  "time" timestamp with time zone default clock_timestamp() not null,
  operation uuid,
  actor text not null,
  act text not null,
  what text not null,
  outcome text not null,
  detail text not null,
  hash text not null,
  constraint audit_event_outcome_check CHECK ((outcome = ANY (ARRAY['intent'::text, 'succeeded'::text, 'failed'::text]))),
  constraint audit_event_pkey PRIMARY KEY (sequence)
);
CREATE INDEX audit_event_actor ON public.audit_event USING btree (actor, sequence);
CREATE INDEX audit_event_operation ON public.audit_event USING btree (operation);
CREATE INDEX audit_event_time ON public.audit_event USING btree ("time");
CREATE TRIGGER audit_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_chained BEFORE INSERT ON public.audit_event FOR EACH ROW EXECUTE FUNCTION chain_audit_event();

create table "cluster" (
  name text not null,
  title text not null,
  origin text not null,
  simulated boolean not null,
  server text not null,
  context text,
  "sealedKubeconfig" text not null,
  "createTime" timestamp with time zone default now() not null,
  "observeTime" timestamp with time zone,
  observation jsonb,
  "allowPlugin" boolean default false not null,
  constraint cluster_origin_check CHECK ((origin = ANY (ARRAY['local'::text, 'kubeconfig'::text]))),
  constraint cluster_pkey PRIMARY KEY (name)
);

create table "environment" (
  name text not null,
  cluster text not null,
  namespace text not null,
  stage text not null,
  title text,
  "createTime" timestamp with time zone not null,
  operation uuid not null,
  state text not null,
  message text default ''::text not null,
  adopted boolean default false not null,
  id uuid default gen_random_uuid() not null,
  project uuid,
  constraint environment_cluster_namespace_key UNIQUE (cluster, namespace),
  constraint environment_id_key UNIQUE (id),
  constraint environment_pkey PRIMARY KEY (name),
  constraint environment_project_fkey FOREIGN KEY (project) REFERENCES project(id),
  constraint environment_stage_check CHECK ((stage = ANY (ARRAY['dev'::text, 'test'::text, 'pre'::text, 'prod'::text]))),
  constraint environment_state_check CHECK ((state = ANY (ARRAY['Creating'::text, 'Ready'::text, 'Deleting'::text, 'Failed'::text])))
);
CREATE TRIGGER environment_project BEFORE INSERT ON public.environment FOR EACH ROW EXECUTE FUNCTION default_project();
CREATE TRIGGER environment_told AFTER INSERT OR DELETE OR UPDATE OF project, cluster, namespace, stage ON public.environment FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "first_link" (
  single boolean default true not null,
  "tokenHash" text not null,
  constraint first_link_pkey PRIMARY KEY (single),
  constraint first_link_single_check CHECK (single)
);

create table "idempotency_key" (
  subject text not null,
  key text not null,
  digest text not null,
  operation uuid not null,
  "createTime" timestamp with time zone default now() not null,
  constraint idempotency_key_operation_fkey FOREIGN KEY (operation) REFERENCES operation(id) DEFERRABLE INITIALLY DEFERRED,
  constraint idempotency_key_pkey PRIMARY KEY (subject, key)
);

create table "object_version" (
  object bigint not null,
  number integer not null,
  "time" timestamp with time zone not null,
  change text not null,
  generation bigint not null,
  revision text not null,
  manager text not null,
  "managedTime" timestamp with time zone,
  back text not null,
  constraint object_version_change_check CHECK ((change = ANY (ARRAY['listed'::text, 'added'::text, 'changed'::text, 'deleted'::text]))),
  constraint object_version_object_fkey FOREIGN KEY (object) REFERENCES recorded_object(id) ON DELETE CASCADE,
  constraint object_version_pkey PRIMARY KEY (object, number)
);
CREATE INDEX object_version_time_idx ON public.object_version USING btree ("time" DESC);

create table "operation" (
  id uuid not null,
  sequence bigint generated always as identity not null,
  type text not null,
  summary text not null,
  actor text not null,
  reason text,
  cluster text not null,
  environment text,
  application text,
  target text not null,
  intent jsonb not null,
  plan jsonb not null,
  steps jsonb not null,
  conditions jsonb default '[]'::jsonb not null,
  results jsonb default '[]'::jsonb not null,
  progress jsonb,
  state text not null,
  "acceptTime" timestamp with time zone not null,
  "startTime" timestamp with time zone,
  "endTime" timestamp with time zone,
  undoes uuid,
  "undoneBy" uuid,
  constraint operation_pkey PRIMARY KEY (id),
  constraint operation_sequence_key UNIQUE (sequence),
  constraint operation_state_check CHECK ((state = ANY (ARRAY['Accepted'::text, 'Running'::text, 'Unknown'::text, 'Succeeded'::text, 'Failed'::text]))),
  constraint operation_undoes_fkey FOREIGN KEY (undoes) REFERENCES operation(id),
  constraint "operation_undoneBy_fkey" FOREIGN KEY ("undoneBy") REFERENCES operation(id)
);
CREATE INDEX operation_environment ON public.operation USING btree (environment, sequence DESC);
CREATE INDEX operation_target ON public.operation USING btree (target, sequence DESC);
CREATE INDEX operation_unfinished ON public.operation USING btree (target, sequence) WHERE (state <> ALL (ARRAY['Succeeded'::text, 'Failed'::text]));

create table "project" (
  id uuid default gen_random_uuid() not null,
  name text not null,
  tenant uuid not null,
  title text,
  quota jsonb default '{}'::jsonb not null,
  "createTime" timestamp with time zone default now() not null,
  constraint project_name_key UNIQUE (name),
  constraint project_pkey PRIMARY KEY (id),
  constraint project_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(id)
);
CREATE TRIGGER project_told AFTER INSERT OR DELETE OR UPDATE ON public.project FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "recorded_object" (
  id bigint generated always as identity not null,
  cluster text not null,
  resource text not null,
  kind text not null,
  namespace text not null,
  name text not null,
  uid text not null,
  number integer not null,
  content text not null,
  "deleteTime" timestamp with time zone,
  constraint recorded_object_cluster_resource_uid_key UNIQUE (cluster, resource, uid),
  constraint recorded_object_pkey PRIMARY KEY (id)
);
CREATE INDEX recorded_object_cluster_resource_namespace_name_idx ON public.recorded_object USING btree (cluster, resource, namespace, name);

create table "role" (
  id uuid default gen_random_uuid() not null,
  name text not null,
  title text,
  permissions jsonb not null,
  "builtIn" boolean default false not null,
  "createTime" timestamp with time zone default now() not null,
  constraint role_name_key UNIQUE (name),
  constraint role_pkey PRIMARY KEY (id)
);
CREATE TRIGGER role_told AFTER INSERT OR DELETE OR UPDATE ON public.role FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "role_grant" (
  id uuid default gen_random_uuid() not null,
  role uuid not null,
  account uuid,
  "group" uuid,
  tenant uuid,
  project uuid,
  environment uuid,
  "expireTime" timestamp with time zone,
  grantor text not null,
  reason text default ''::text not null,
  "createTime" timestamp with time zone default now() not null,
  constraint role_grant_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint role_grant_check CHECK ((num_nonnulls(account, "group") = 1)),
  constraint role_grant_check1 CHECK ((num_nonnulls(tenant, project, environment) <= 1)),
  constraint role_grant_environment_fkey FOREIGN KEY (environment) REFERENCES environment(id) ON DELETE CASCADE,
  constraint role_grant_group_fkey FOREIGN KEY ("group") REFERENCES user_group(id) ON DELETE CASCADE,
  constraint role_grant_pkey PRIMARY KEY (id),
  constraint role_grant_project_fkey FOREIGN KEY (project) REFERENCES project(id) ON DELETE CASCADE,
  constraint role_grant_role_account_group_tenant_project_environment_key UNIQUE NULLS NOT DISTINCT (role, account, "group", tenant, project, environment),
  constraint role_grant_role_fkey FOREIGN KEY (role) REFERENCES role(id),
  constraint role_grant_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(id) ON DELETE CASCADE
);
CREATE INDEX role_grant_account ON public.role_grant USING btree (account);
CREATE INDEX role_grant_environment ON public.role_grant USING btree (environment);
CREATE INDEX role_grant_group ON public.role_grant USING btree ("group");
CREATE INDEX role_grant_project ON public.role_grant USING btree (project);
CREATE INDEX role_grant_tenant ON public.role_grant USING btree (tenant);
CREATE TRIGGER role_grant_told AFTER INSERT OR DELETE OR UPDATE ON public.role_grant FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "session" (
  id uuid default gen_random_uuid() not null,
  "secretHash" text not null,
  "userName" text not null,
  "createTime" timestamp with time zone not null,
  "lastUseTime" timestamp with time zone not null,
  "expireTime" timestamp with time zone not null,
  peer text not null,
  client text not null,
  constraint session_pkey PRIMARY KEY (id),
  constraint "session_secretHash_key" UNIQUE ("secretHash"),
  constraint "session_userName_fkey" FOREIGN KEY ("userName") REFERENCES account(name) ON DELETE CASCADE
);
CREATE INDEX session_user_name ON public.session USING btree ("userName");

create table "tenant" (
  id uuid default gen_random_uuid() not null,
  name text not null,
  title text,
  clusters jsonb default '[]'::jsonb not null,
  quota jsonb default '{}'::jsonb not null,
  "createTime" timestamp with time zone default now() not null,
  constraint tenant_name_key UNIQUE (name),
  constraint tenant_pkey PRIMARY KEY (id)
);
CREATE TRIGGER tenant_told AFTER INSERT OR DELETE OR UPDATE ON public.tenant FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "token" (
  id uuid default gen_random_uuid() not null,
  "secretHash" text not null,
  "userName" text not null,
  name text not null,
  permissions jsonb not null,
  "createTime" timestamp with time zone not null,
  "lastUseTime" timestamp with time zone,
  "expireTime" timestamp with time zone,
  constraint token_pkey PRIMARY KEY (id),
  constraint "token_secretHash_key" UNIQUE ("secretHash"),
  constraint "token_userName_fkey" FOREIGN KEY ("userName") REFERENCES account(name) ON DELETE CASCADE,
  constraint "token_userName_name_key" UNIQUE ("userName", name)
);

create table "used_identity" (
  identity text not null,
  constraint used_identity_pkey PRIMARY KEY (identity)
);

create table "user_group" (
  id uuid default gen_random_uuid() not null,
  name text not null,
  title text,
  source text default 'local'::text not null,
  "sourceKey" text,
  "createTime" timestamp with time zone default now() not null,
  constraint user_group_name_key UNIQUE (name),
  constraint user_group_pkey PRIMARY KEY (id),
  constraint "user_group_source_sourceKey_key" UNIQUE (source, "sourceKey")
);
CREATE TRIGGER user_group_told AFTER INSERT OR DELETE OR UPDATE ON public.user_group FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

create table "user_group_member" (
  "group" uuid not null,
  account uuid not null,
  constraint user_group_member_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint user_group_member_group_fkey FOREIGN KEY ("group") REFERENCES user_group(id) ON DELETE CASCADE,
  constraint user_group_member_pkey PRIMARY KEY ("group", account)
);
CREATE INDEX user_group_member_account ON public.user_group_member USING btree (account);
CREATE TRIGGER user_group_member_told AFTER INSERT OR DELETE OR UPDATE ON public.user_group_member FOR EACH STATEMENT EXECUTE FUNCTION tell_authority();

CREATE OR REPLACE FUNCTION public.audit_event_hash(before text, event audit_event)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
        select encode(sha256(convert_to(jsonb_build_array(
          before, event.sequence, extract(epoch from event.time)::text, event.operation,
          event.actor, event.act, event.what, event.outcome, event.detail)::text, 'UTF8')), 'hex')
      $function$;

CREATE OR REPLACE FUNCTION public.chain_audit_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare last audit_event;
      begin
        perform pg_advisory_xact_lock(hashtextextended('audit_event', 0));
        select * into last from audit_event order by sequence desc limit 1;
        new.sequence := coalesce(last.sequence, 0) + 1;
        new.hash := audit_event_hash(coalesce(last.hash, ''), new);
        return new;
      end $function$;

CREATE OR REPLACE FUNCTION public.default_project()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        new.project := coalesce(new.project, (select id from project where name = 'default'));
        return new;
      end $function$;

CREATE OR REPLACE FUNCTION public.give_identity()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare number int := 1; wanted text;
      begin
        loop
          wanted := 'quarterdeck:user:' || new.name || case when number = 1 then '' else '~' || number end;
          insert into used_identity values (wanted) on conflict do nothing;
          exit when found;
          number := number + 1;
        end loop;
        new.identity := wanted;
        return new;
      end $function$;

CREATE OR REPLACE PROCEDURE public.grant_administrator(IN holder text, IN giver text)
 LANGUAGE sql
AS $procedure$
        insert into role_grant (role, account, grantor, reason)
        select role.id, account.id, giver, 'The first administrator'
        from account, role where role.name = 'administrator' and account.name = holder
        on conflict do nothing
      $procedure$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin raise exception '% is append-only', tg_table_name; end $function$;

CREATE OR REPLACE FUNCTION public.tell_authority()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        perform pg_notify('quarterdeck_authority', '');
        return null;
      end $function$;
