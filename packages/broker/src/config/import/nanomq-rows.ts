// What each option of nanomq.conf (0.14 to 0.24, and the older `key=value` form) is here. docs/coming-from.md is made of it.

import { always, number, type Row, type Rows } from "./values.ts"

const any = Number.MAX_SAFE_INTEGER
const log = "the log is one line an event, on standard output, where systemd or Docker take it"
const noBridge: Row = {
  why: "bridges of this kind are not carried over: write them anew, below `bridges` (docs/bridges.md)",
}
const noRules: Row = { why: "there is no rule engine" }

/** `listeners.TYPE` and `listeners.TYPE.NAME`: tcp, ssl, ws and wss. */
export const nanomqListenerRows: Rows = {
  bind: { to: "listeners.*.port", why: "its host becomes `host`, a path of WebSocket becomes `path`", special: true },
  url: { to: "listeners.*.port", why: "the older name of `bind`", special: true },
  keyfile: { to: "listeners.*.key", special: true },
  certfile: { to: "listeners.*.cert", special: true },
  cacertfile: {
    to: "listeners.*.ca",
    why: "of clients' certificates alone; where they are not asked for, it means nothing",
    special: true,
  },
  key_password: {
    to: "listeners.*.keyPasswordFile",
    why: "its password is written into a file beside",
    secret: true,
    special: true,
  },
  verify_peer: {
    to: "listeners.*.clientCertificate",
    why: "true: `request`, or `require` with the next",
    special: true,
  },
  fail_if_no_peer_cert: { to: "listeners.*.clientCertificate", why: "true: `require`", special: true },
  enable: { to: "", why: "a listener that is off is left out", special: true },
}

export const nanomqRows: Rows = {
  "mqtt.max_packet_size": {
    to: "limits.maximumPacketSize",
    read: number({ low: 128, high: 268_435_460, unit: "bytes" }),
  },
  "mqtt.max_mqueue_len": {
    to: "limits.maximumQueuedMessages",
    read: number({ low: 1, high: any, unlimitedTexts: ["infinity"] }),
  },
  "mqtt.max_topic_alias": { to: "limits.topicAliasMaximum", read: number({ low: 0, high: 65_535 }) },
  "mqtt.max_inflight_window": { to: "limits.maximumInflight", read: number({ low: 1, high: 65_534 }) },
  "mqtt.max_awaiting_rel": { why: "there it is not in use yet" },
  "mqtt.await_rel_timeout": { why: "there it is not in use yet" },
  "mqtt.retry_interval": {
    read: () => ({
      holds:
        "MQTT 5.0 forbids to send again on an open connection: what is unacknowledged is sent again when the client is back",
    }),
  },
  "mqtt.keepalive_multiplier": { why: "a client is gone after one and a half times its keep alive, as MQTT has it" },
  "mqtt.property_size": { why: "properties count with the packet" },
  "mqtt.batch_resend": { read: always(false, "what is sent again goes out as fast as the client takes it") },
  "auth.allow_anonymous": { to: "login.anonymous", special: true },
  "auth.no_match": { to: "aclFile", why: "a rule for everybody at the end of the list", special: true },
  "auth.deny_action": {
    read: (text) =>
      text === "ignore"
        ? { holds: "what is refused is answered, and nothing more" }
        : { left: "a client that is refused something stays connected" },
  },
  "auth.password.*": {
    to: "login.passwordFile",
    why: "passwords are hashed into a file beside",
    secret: true,
    special: true,
  },
  "auth.acl.*": {
    to: "aclFile",
    why: "rules are written into a file beside; what denies wins there, wherever it stands",
    special: true,
  },
  "auth.cache.*": { read: () => ({ holds: "rules are in memory" }) },
  "auth.http_auth.auth_req.url": {
    to: "login.http.url",
    why: "question and answer are others: its server has to learn them",
    special: true,
  },
  "auth.http_auth.timeout": { to: "login.http.timeout", special: true },
  "auth.http_auth.pool_size": { to: "login.http.concurrency", special: true },
  "auth.http_auth.auth_req.*": { why: "question and answer are those of docs/hooks.md" },
  "auth.http_auth.*": { why: "what a client may do is said at its login, and not asked for again" },
  "log.to": { to: "log", why: log, special: true },
  "log.*": { why: log },
  "http_server.port": {
    to: "admin.port",
    why: "an API with other paths and answers, of this machine alone, unless it has TLS",
    special: true,
  },
  "http_server.ip_addr": {
    to: "admin.host",
    why: "an address that others reach needs `cert` and `key`",
    special: true,
  },
  "http_server.username": {
    to: "admin.tokenFile",
    why: "a token is made, and written into a file beside",
    special: true,
  },
  "http_server.password": { to: "admin.tokenFile", why: "the same", secret: true, special: true },
  "http_server.*": { why: "the admin API asks for tokens (`puremq token`)" },
  "webhook.url": { to: "webhooks", why: "what is sent is another JSON", special: true },
  "webhook.events": { to: "webhooks", why: "`connect` and `disconnect`; messages are not told", special: true },
  "webhook.*": { why: "what is sent is the JSON of docs/hooks.md" },
  "web_hook.*": { why: "the older name: write `webhooks` (docs/hooks.md)" },
  "system.*": { why: "one thread serves all clients; `workers` of a listener are for TLS" },
  "sqlite.*": { why: "sessions and messages are kept in files by the broker itself (`store`)" },
  "bridges.mqtt.*": { to: "bridges", why: "see below", special: true },
  "bridges.*": noBridge,
  "aws_bridge.*": noBridge,
  "preset.*": { why: "sessions begin with their clients" },
  "rules.*": noRules,
  "plugins.*": { why: "there are no plugins" },
  "gateway.*": { why: "MQTT is spoken, and nothing else" },
  "parquet.*": { why: "messages are not written into tables" },
  "exchange_client.*": { why: "messages are not written into tables" },
  "exchange.*": { why: "messages are not written into tables" },
  "blf.*": { why: "messages are not written into tables" },
  "license.*": { why: "there is none" },
  "ssl.*": { why: "TLS is of each listener" },
}

/** Options of the older form, as they are called now. `*` is the rest of the name. */
export const nanomqOldNames: Readonly<Record<string, string>> = {
  url: "listeners.tcp.bind",
  "tls.enable": "listeners.ssl.enable",
  "tls.url": "listeners.ssl.bind",
  "tls.keyfile": "listeners.ssl.keyfile",
  "tls.certfile": "listeners.ssl.certfile",
  "tls.cacertfile": "listeners.ssl.cacertfile",
  "tls.key_password": "listeners.ssl.key_password",
  "tls.verify_peer": "listeners.ssl.verify_peer",
  "tls.fail_if_no_peer_cert": "listeners.ssl.fail_if_no_peer_cert",
  "websocket.enable": "listeners.ws.enable",
  "websocket.url": "listeners.ws.bind",
  "websocket.tls_url": "listeners.wss.bind",
  max_packet_size: "mqtt.max_packet_size",
  client_max_packet_size: "mqtt.max_packet_size",
  msq_len: "mqtt.max_mqueue_len",
  qos_duration: "mqtt.retry_interval",
  keepalive_backoff: "mqtt.keepalive_multiplier",
  property_size: "mqtt.property_size",
  allow_anonymous: "auth.allow_anonymous",
  acl_nomatch: "auth.no_match",
  acl_deny_action: "auth.deny_action",
  enable_acl_cache: "auth.cache.enable",
  acl_cache_max_size: "auth.cache.max_size",
  acl_cache_ttl: "auth.cache.ttl",
  daemon: "system.daemon",
  num_taskq_thread: "system.num_taskq_thread",
  max_taskq_thread: "system.max_taskq_thread",
  parallel: "system.parallel",
  enable_ipc_internal: "system.enable_ipc_internal",
  "auth.http.*": "auth.http_auth.*",
  "web.hook.*": "webhook.*",
  "bridge.*": "bridges.*",
  "aws.bridge.*": "bridges.aws.*",
  "rule_option.*": "rules.*",
  "rule.*": "rules.*",
}
