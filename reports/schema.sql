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
  constraint environment_cluster_namespace_key UNIQUE (cluster, namespace),
  constraint environment_pkey PRIMARY KEY (name),
  constraint environment_stage_check CHECK ((stage = ANY (ARRAY['dev'::text, 'test'::text, 'pre'::text, 'prod'::text]))),
  constraint environment_state_check CHECK ((state = ANY (ARRAY['Creating'::text, 'Ready'::text, 'Deleting'::text, 'Failed'::text])))
);

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

create table "local_user" (
  name text not null,
  "passwordHash" text not null,
  "passwordTime" timestamp with time zone default now() not null,
  constraint local_user_pkey PRIMARY KEY (name)
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
  constraint "session_userName_fkey" FOREIGN KEY ("userName") REFERENCES local_user(name) ON DELETE CASCADE
);
CREATE INDEX session_user_name ON public.session USING btree ("userName");

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
  constraint "token_userName_fkey" FOREIGN KEY ("userName") REFERENCES local_user(name) ON DELETE CASCADE,
  constraint "token_userName_name_key" UNIQUE ("userName", name)
);

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

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin raise exception '% is append-only', tg_table_name; end $function$;
