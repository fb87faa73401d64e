create table "absent_account" (
  account uuid not null,
  constraint absent_account_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint absent_account_pkey PRIMARY KEY (account)
);

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
CREATE TRIGGER account_followed AFTER INSERT OR DELETE OR UPDATE OF name, "disableTime", kind ON public.account FOR EACH ROW EXECUTE FUNCTION follow_authority('account', 'id');
CREATE TRIGGER account_identity BEFORE INSERT ON public.account FOR EACH ROW EXECUTE FUNCTION give_identity();

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
  environment text,
  peer text,
  client text,
  credential text,
  request text,
  format smallint default 3 not null,
  "environmentId" uuid,
  constraint audit_event_outcome_check CHECK ((outcome = ANY (ARRAY['intent'::text, 'succeeded'::text, 'failed'::text]))),
  constraint audit_event_pkey PRIMARY KEY (sequence)
);
CREATE INDEX audit_event_act ON public.audit_event USING btree (act, sequence);
CREATE INDEX audit_event_actor ON public.audit_event USING btree (actor, sequence);
CREATE INDEX audit_event_environment ON public.audit_event USING btree (environment, sequence);
CREATE INDEX audit_event_operation ON public.audit_event USING btree (operation);
CREATE INDEX audit_event_peer ON public.audit_event USING btree (peer, sequence);
CREATE INDEX audit_event_text ON public.audit_event USING gin (lower(((what || chr(10)) || detail)) gin_trgm_ops) WITH (fastupdate='on', gin_pending_list_limit='262144');
CREATE INDEX audit_event_time ON public.audit_event USING btree ("time", sequence);
CREATE TRIGGER audit_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_chained BEFORE INSERT ON public.audit_event FOR EACH ROW EXECUTE FUNCTION chain_audit_event();

create table "audit_seal" (
  sequence bigint not null,
  hash text not null,
  "time" timestamp with time zone not null,
  signature text not null,
  constraint audit_seal_pkey PRIMARY KEY (sequence)
);
CREATE TRIGGER audit_seal_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_seal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table "audit_search" (
  account uuid not null,
  name text not null,
  owner text not null,
  shared boolean not null,
  filter jsonb not null,
  "changeTime" timestamp with time zone default now() not null,
  constraint audit_search_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint audit_search_pkey PRIMARY KEY (account, name)
);
CREATE INDEX audit_search_shared ON public.audit_search USING btree (name) WHERE shared;

create table "audit_sink" (
  name text not null,
  kind text not null,
  settings jsonb not null,
  "sealedSecret" text,
  sequence bigint not null,
  "createTime" timestamp with time zone default now() not null,
  "sentTime" timestamp with time zone,
  failures integer default 0 not null,
  message text default ''::text not null,
  constraint audit_sink_kind_check CHECK ((kind = ANY (ARRAY['syslog'::text, 'webhook'::text]))),
  constraint audit_sink_pkey PRIMARY KEY (name)
);

create table "authority_change" (
  kind text not null,
  id uuid not null,
  xact xid8 default pg_current_xact_id() not null,
  "time" timestamp with time zone default clock_timestamp() not null
);
CREATE INDEX authority_change_time ON public.authority_change USING btree ("time");
CREATE INDEX authority_change_xact ON public.authority_change USING btree (xact);

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
  uid text,
  "otherUid" text,
  constraint cluster_origin_check CHECK ((origin = ANY (ARRAY['local'::text, 'kubeconfig'::text]))),
  constraint cluster_pkey PRIMARY KEY (name)
);

create table "cluster_projection" (
  cluster text not null,
  state text not null,
  messages jsonb not null,
  "observeTime" timestamp with time zone default now() not null,
  constraint cluster_projection_cluster_fkey FOREIGN KEY (cluster) REFERENCES cluster(name) ON DELETE CASCADE,
  constraint cluster_projection_pkey PRIMARY KEY (cluster),
  constraint cluster_projection_state_check CHECK ((state = ANY (ARRAY['Ready'::text, 'Limited'::text, 'Missing'::text])))
);

create table "device_login" (
  id uuid default gen_random_uuid() not null,
  "secretHash" text not null,
  "codeHash" text not null,
  client text not null,
  peer text not null,
  days integer not null,
  "createTime" timestamp with time zone not null,
  "expireTime" timestamp with time zone not null,
  "userName" text,
  denied boolean default false not null,
  constraint "device_login_codeHash_key" UNIQUE ("codeHash"),
  constraint device_login_pkey PRIMARY KEY (id),
  constraint "device_login_secretHash_key" UNIQUE ("secretHash"),
  constraint "device_login_userName_fkey" FOREIGN KEY ("userName") REFERENCES account(name) ON DELETE CASCADE
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
  quota jsonb default '{}'::jsonb not null,
  limits jsonb,
  isolation text,
  "podSecurity" text,
  constraint environment_cluster_namespace_key UNIQUE (cluster, namespace),
  constraint environment_id_key UNIQUE (id),
  constraint environment_isolation_check CHECK ((isolation = ANY (ARRAY['isolated'::text, 'project'::text, 'open'::text]))),
  constraint environment_pkey PRIMARY KEY (name),
  constraint "environment_podSecurity_check" CHECK (("podSecurity" = ANY (ARRAY['privileged'::text, 'baseline'::text, 'restricted'::text]))),
  constraint environment_project_fkey FOREIGN KEY (project) REFERENCES project(id),
  constraint environment_stage_check CHECK ((stage = ANY (ARRAY['dev'::text, 'test'::text, 'pre'::text, 'prod'::text]))),
  constraint environment_state_check CHECK ((state = ANY (ARRAY['Creating'::text, 'Ready'::text, 'Deleting'::text, 'Failed'::text])))
);
CREATE TRIGGER environment_followed AFTER INSERT OR DELETE OR UPDATE OF name, project, cluster, namespace ON public.environment FOR EACH ROW EXECUTE FUNCTION follow_authority('environment', 'id');
CREATE TRIGGER environment_project BEFORE INSERT ON public.environment FOR EACH ROW EXECUTE FUNCTION default_project();

create table "first_link" (
  single boolean default true not null,
  "tokenHash" text not null,
  constraint first_link_pkey PRIMARY KEY (single),
  constraint first_link_single_check CHECK (single)
);

create table "grant_request" (
  id uuid default gen_random_uuid() not null,
  account uuid not null,
  role uuid not null,
  "roleName" text not null,
  permission text,
  "placeKind" text,
  "placeName" text,
  place uuid,
  "durationSeconds" integer not null,
  reason text not null,
  state text default 'open'::text not null,
  "createTime" timestamp with time zone default now() not null,
  "decideTime" timestamp with time zone,
  decider text,
  decision text,
  "grant" uuid,
  constraint grant_request_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint grant_request_check CHECK ((("placeKind" IS NULL) = ("placeName" IS NULL))),
  constraint grant_request_pkey PRIMARY KEY (id),
  constraint "grant_request_placeKind_check" CHECK (("placeKind" = ANY (ARRAY['tenant'::text, 'project'::text, 'environment'::text]))),
  constraint grant_request_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'refused'::text, 'withdrawn'::text])))
);
CREATE INDEX grant_request_account ON public.grant_request USING btree (account);
CREATE INDEX grant_request_create ON public.grant_request USING btree ("createTime", id);

create table "idempotency_key" (
  subject text not null,
  key text not null,
  digest text not null,
  operation uuid not null,
  "createTime" timestamp with time zone default now() not null,
  constraint idempotency_key_operation_fkey FOREIGN KEY (operation) REFERENCES operation(id) DEFERRABLE INITIALLY DEFERRED,
  constraint idempotency_key_pkey PRIMARY KEY (subject, key)
);

create table "installation" (
  id uuid default gen_random_uuid() not null
);

create table "logout_token" (
  id text not null,
  "expireTime" timestamp with time zone not null,
  constraint logout_token_pkey PRIMARY KEY (id)
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

create table "one_time_password" (
  account uuid not null,
  "sealedSecret" text not null,
  "createTime" timestamp with time zone not null,
  "confirmTime" timestamp with time zone,
  "wrongCodes" integer default 0 not null,
  "wrongTime" timestamp with time zone,
  constraint one_time_password_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint one_time_password_pkey PRIMARY KEY (account)
);
CREATE TRIGGER one_time_password_told AFTER INSERT OR DELETE OR UPDATE OF "confirmTime" ON public.one_time_password FOR EACH STATEMENT EXECUTE FUNCTION tell_one_time();

create table "one_time_rule" (
  "position" integer not null,
  roles jsonb not null,
  stages jsonb not null,
  acts jsonb not null,
  "maxAgeMinutes" integer not null,
  constraint "one_time_rule_maxAgeMinutes_check" CHECK (("maxAgeMinutes" > 0)),
  constraint one_time_rule_pkey PRIMARY KEY ("position")
);
CREATE TRIGGER one_time_rule_told AFTER INSERT OR DELETE OR UPDATE ON public.one_time_rule FOR EACH STATEMENT EXECUTE FUNCTION tell_one_time();

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
  "environmentId" uuid,
  constraint operation_pkey PRIMARY KEY (id),
  constraint operation_sequence_key UNIQUE (sequence),
  constraint operation_state_check CHECK ((state = ANY (ARRAY['Accepted'::text, 'Running'::text, 'Unknown'::text, 'Succeeded'::text, 'Failed'::text]))),
  constraint operation_undoes_fkey FOREIGN KEY (undoes) REFERENCES operation(id),
  constraint "operation_undoneBy_fkey" FOREIGN KEY ("undoneBy") REFERENCES operation(id)
);
CREATE INDEX operation_environment ON public.operation USING btree (environment, sequence DESC);
CREATE INDEX operation_target ON public.operation USING btree (target, sequence DESC);
CREATE INDEX operation_unfinished ON public.operation USING btree (target, sequence) WHERE (state <> ALL (ARRAY['Succeeded'::text, 'Failed'::text]));

create table "password_link" (
  account uuid not null,
  "secretHash" text not null,
  "createTime" timestamp with time zone not null,
  "expireTime" timestamp with time zone not null,
  constraint password_link_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint password_link_pkey PRIMARY KEY (account),
  constraint "password_link_secretHash_key" UNIQUE ("secretHash")
);

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
CREATE TRIGGER project_followed AFTER INSERT OR DELETE OR UPDATE OF name, tenant ON public.project FOR EACH ROW EXECUTE FUNCTION follow_authority('project', 'id');

create table "provider_session" (
  session uuid not null,
  provider text not null,
  key text not null,
  sid text,
  "sealedToken" text,
  "askTime" timestamp with time zone not null,
  constraint provider_session_pkey PRIMARY KEY (session),
  constraint provider_session_provider_fkey FOREIGN KEY (provider) REFERENCES sign_in_provider(name) ON DELETE CASCADE,
  constraint provider_session_session_fkey FOREIGN KEY (session) REFERENCES session(id) ON DELETE CASCADE
);
CREATE INDEX provider_session_due ON public.provider_session USING btree (provider, "askTime");
CREATE INDEX provider_session_key ON public.provider_session USING btree (provider, key);
CREATE INDEX provider_session_sid ON public.provider_session USING btree (provider, sid);

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

create table "recovery_code" (
  account uuid not null,
  "codeHash" text not null,
  "useTime" timestamp with time zone,
  constraint recovery_code_account_fkey FOREIGN KEY (account) REFERENCES one_time_password(account) ON DELETE CASCADE,
  constraint recovery_code_pkey PRIMARY KEY (account, "codeHash")
);

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
CREATE TRIGGER role_followed AFTER INSERT OR DELETE OR UPDATE OF name, permissions ON public.role FOR EACH ROW EXECUTE FUNCTION follow_authority('role', 'id');

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
CREATE INDEX role_grant_create ON public.role_grant USING btree ("createTime", id);
CREATE INDEX role_grant_environment ON public.role_grant USING btree (environment);
CREATE INDEX role_grant_expire ON public.role_grant USING btree ("expireTime") WHERE ("expireTime" IS NOT NULL);
CREATE INDEX role_grant_group ON public.role_grant USING btree ("group");
CREATE INDEX role_grant_project ON public.role_grant USING btree (project);
CREATE INDEX role_grant_role ON public.role_grant USING btree (role);
CREATE INDEX role_grant_tenant ON public.role_grant USING btree (tenant);
CREATE TRIGGER role_grant_followed AFTER INSERT OR DELETE OR UPDATE ON public.role_grant FOR EACH ROW EXECUTE FUNCTION follow_authority('grant', 'id');

create table "session" (
  id uuid default gen_random_uuid() not null,
  "secretHash" text not null,
  "userName" text not null,
  "createTime" timestamp with time zone not null,
  "lastUseTime" timestamp with time zone not null,
  "expireTime" timestamp with time zone not null,
  peer text not null,
  client text not null,
  "verifyTime" timestamp with time zone,
  provider text,
  constraint session_pkey PRIMARY KEY (id),
  constraint "session_secretHash_key" UNIQUE ("secretHash"),
  constraint "session_userName_fkey" FOREIGN KEY ("userName") REFERENCES account(name) ON DELETE CASCADE
);
CREATE INDEX session_provider ON public.session USING btree (provider) WHERE (provider IS NOT NULL);
CREATE INDEX session_user_name ON public.session USING btree ("userName");
CREATE TRIGGER session_noted AFTER INSERT ON public.session FOR EACH ROW EXECUTE FUNCTION note_sign_in();

create table "sign_in_attempt" (
  "stateHash" text not null,
  "browserHash" text not null,
  provider text not null,
  nonce text not null,
  "codeVerifier" text not null,
  next text not null,
  "expireTime" timestamp with time zone not null,
  constraint sign_in_attempt_pkey PRIMARY KEY ("stateHash"),
  constraint sign_in_attempt_provider_fkey FOREIGN KEY (provider) REFERENCES sign_in_provider(name) ON DELETE CASCADE
);
CREATE INDEX sign_in_attempt_expire ON public.sign_in_attempt USING btree ("expireTime");

create table "sign_in_provider" (
  name text not null,
  title text not null,
  kind text not null,
  enabled boolean not null,
  settings jsonb not null,
  "sealedSecret" text,
  revision uuid default gen_random_uuid() not null,
  "createTime" timestamp with time zone not null,
  "syncTime" timestamp with time zone,
  "syncMessage" text default ''::text not null,
  constraint sign_in_provider_kind_check CHECK ((kind = ANY (ARRAY['oidc'::text, 'ldap'::text]))),
  constraint sign_in_provider_pkey PRIMARY KEY (name)
);

create table "tenant" (
  id uuid default gen_random_uuid() not null,
  name text not null,
  title text,
  clusters jsonb default '[]'::jsonb not null,
  quota jsonb default '{}'::jsonb not null,
  "createTime" timestamp with time zone default now() not null,
  overcommit double precision default 1 not null,
  constraint tenant_name_key UNIQUE (name),
  constraint tenant_overcommit_check CHECK (((overcommit >= (1)::double precision) AND (overcommit <= (100)::double precision))),
  constraint tenant_pkey PRIMARY KEY (id)
);
CREATE TRIGGER tenant_followed AFTER INSERT OR DELETE OR UPDATE OF name ON public.tenant FOR EACH ROW EXECUTE FUNCTION follow_authority('tenant', 'id');

create table "token" (
  id uuid default gen_random_uuid() not null,
  "secretHash" text not null,
  "userName" text not null,
  name text not null,
  permissions jsonb not null,
  "createTime" timestamp with time zone not null,
  "lastUseTime" timestamp with time zone,
  "expireTime" timestamp with time zone,
  within jsonb,
  sources jsonb default '[]'::jsonb not null,
  "lastPeer" text,
  "verifyTime" timestamp with time zone,
  constraint token_pkey PRIMARY KEY (id),
  constraint "token_secretHash_key" UNIQUE ("secretHash"),
  constraint "token_userName_fkey" FOREIGN KEY ("userName") REFERENCES account(name) ON DELETE CASCADE,
  constraint "token_userName_name_key" UNIQUE ("userName", name)
);

create table "used_identity" (
  identity text not null,
  constraint used_identity_pkey PRIMARY KEY (identity)
);

create table "used_step" (
  account uuid not null,
  step bigint not null,
  constraint used_step_account_fkey FOREIGN KEY (account) REFERENCES one_time_password(account) ON DELETE CASCADE,
  constraint used_step_pkey PRIMARY KEY (account, step)
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
CREATE TRIGGER user_group_followed AFTER INSERT OR DELETE OR UPDATE OF name ON public.user_group FOR EACH ROW EXECUTE FUNCTION follow_authority('group', 'id');

create table "user_group_member" (
  "group" uuid not null,
  account uuid not null,
  constraint user_group_member_account_fkey FOREIGN KEY (account) REFERENCES account(id) ON DELETE CASCADE,
  constraint user_group_member_group_fkey FOREIGN KEY ("group") REFERENCES user_group(id) ON DELETE CASCADE,
  constraint user_group_member_pkey PRIMARY KEY ("group", account)
);
CREATE INDEX user_group_member_account ON public.user_group_member USING btree (account);
CREATE TRIGGER user_group_member_followed AFTER INSERT OR DELETE OR UPDATE ON public.user_group_member FOR EACH ROW EXECUTE FUNCTION follow_authority('account', 'account');

create table "version_setting" (
  one boolean default true not null,
  unrecorded text[] not null,
  "keepDays" integer not null,
  "updateTime" timestamp with time zone default now() not null,
  "updatedBy" text not null,
  constraint "version_setting_keepDays_check" CHECK ((("keepDays" >= 1) AND ("keepDays" <= 36500))),
  constraint version_setting_one_check CHECK (one),
  constraint version_setting_pkey PRIMARY KEY (one)
);
CREATE TRIGGER version_setting_told AFTER INSERT OR DELETE OR UPDATE ON public.version_setting FOR EACH STATEMENT EXECUTE FUNCTION tell_version_setting();

CREATE OR REPLACE FUNCTION public.account_id(wanted text)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$
      select id from account where name = wanted
    $function$;

CREATE OR REPLACE FUNCTION public.audit_event_hash(before text, event audit_event)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
        select encode(sha256(convert_to((case event.format
          when 1 then jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail)
          when 2 then jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail, event.environment,
            event.peer, event.client, event.credential, event.request, event.format)
          else jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail, event.environment, event."environmentId",
            event.peer, event.client, event.credential, event.request, event.format)
        end)::text, 'UTF8')), 'hex')
      $function$;

CREATE OR REPLACE FUNCTION public.chain_audit_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare last record;
      begin
        new."environmentId" := null;
        if new.environment is not null then
          select id into new."environmentId" from public.environment where name = new.environment;
        end if;
        perform pg_advisory_xact_lock(hashtextextended('audit_event', 0));
        select sequence, hash into last from public.audit_event order by sequence desc limit 1;
        new.sequence := coalesce(last.sequence, 0) + 1;
        new.time := clock_timestamp();
        new.format := 3;
        new.hash := public.audit_event_hash(coalesce(last.hash, ''), new);
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

CREATE OR REPLACE FUNCTION public.environment_id(text)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$select id from environment where name = $1$function$;

CREATE OR REPLACE FUNCTION public.environment_id_at(text, timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$select id from environment where name = $1 and "createTime" <= $2$function$;

CREATE OR REPLACE FUNCTION public.follow_authority()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if tg_op <> 'INSERT' then
          insert into authority_change (kind, id) values (tg_argv[0], (to_jsonb(old) ->> tg_argv[1])::uuid);
        end if;
        if tg_op <> 'DELETE' then
          insert into authority_change (kind, id) values (tg_argv[0], (to_jsonb(new) ->> tg_argv[1])::uuid);
        end if;
        perform pg_notify('quarterdeck_authority', '');
        return null;
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

CREATE OR REPLACE FUNCTION public.note_sign_in()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        update account set "lastSignInTime" = new."createTime" where name = new."userName";
        return null;
      end $function$;

CREATE OR REPLACE FUNCTION public.project_id(text)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$select id from project where name = $1$function$;

CREATE OR REPLACE FUNCTION public.provider_account(given_source text, given_key text, wanted text, given_title text, given_email text)
 RETURNS TABLE(id uuid, name text, made boolean, disabled boolean)
 LANGUAGE plpgsql
AS $function$
      declare number int := 1;
      begin
        loop
          return query update account as a set title = given_title, email = given_email
            where a.source = given_source and a."sourceKey" = given_key
            returning a.id, a.name, false, a."disableTime" is not null;
          exit when found;
          return query insert into account as a (name, source, "sourceKey", title, email)
            values (left(wanted, 63 - case when number = 1 then 0 else length('-' || number) end)
              || case when number = 1 then '' else '-' || number end, given_source, given_key, given_title, given_email)
            on conflict do nothing
            returning a.id, a.name, true, false;
          exit when found;
          number := number + 1;
        end loop;
      end $function$;

CREATE OR REPLACE FUNCTION public.provider_account_enabled(member uuid, enabled boolean)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
      begin
        update account set "disableTime" = case when enabled then null else now() end
          where id = member and ("disableTime" is null) <> enabled;
        return found;
      end $function$;

CREATE OR REPLACE FUNCTION public.provider_groups(member uuid, given_source text, given_keys text[], wanted text[])
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
      declare number int; at int; made uuid; had text[];
      begin
        select coalesce(array_agg(g."sourceKey" order by g."sourceKey"), '{}') into had
          from user_group_member m join user_group g on g.id = m."group"
          where m.account = member and g.source = given_source;
        if had = (select coalesce(array_agg(k order by k), '{}') from unnest(given_keys) as k) then return false; end if;
        for at in 1 .. coalesce(array_length(given_keys, 1), 0) loop
          number := 1;
          loop
            exit when exists (select from user_group g where g.source = given_source and g."sourceKey" = given_keys[at]);
            insert into user_group (name, title, source, "sourceKey")
              values (left(wanted[at], 63 - case when number = 1 then 0 else length('-' || number) end)
                || case when number = 1 then '' else '-' || number end, given_keys[at], given_source, given_keys[at])
              on conflict do nothing returning id into made;
            exit when made is not null;
            number := number + 1;
          end loop;
          made := null;
        end loop;
        delete from user_group_member m using user_group g
          where g.id = m."group" and m.account = member and g.source = given_source
            and not g."sourceKey" = any (given_keys);
        insert into user_group_member ("group", account)
          select g.id, member from user_group g where g.source = given_source and g."sourceKey" = any (given_keys)
          on conflict do nothing;
        return true;
      end $function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin raise exception '% is append-only', tg_table_name; end $function$;

CREATE OR REPLACE FUNCTION public.sort_in_audit_text()
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
        select coalesce(sum(gin_clean_pending_list(oid)), 0)::bigint from pg_class
          where relname = 'audit_event_text' and relnamespace = to_regnamespace('public') and relkind = 'i'
      $function$;

CREATE OR REPLACE FUNCTION public.tell_one_time()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        perform pg_notify('quarterdeck_one_time', '');
        return null;
      end $function$;

CREATE OR REPLACE FUNCTION public.tell_version_setting()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        perform pg_notify('quarterdeck_version_setting', '');
        return null;
      end $function$;
