// What each option of mosquitto.conf (mosquitto.conf(5) of 2.1) is here. docs/coming-from.md is made of it.

import { bridgeVersion } from "./bridge-version.ts"
import { always, flag, flagOf, number, type Rows } from "./values.ts"

const any = Number.MAX_SAFE_INTEGER
const log = "the log is one line an event, on standard output, where systemd or Docker take it"
const certificate = "both of `certfile` and `keyfile` make it a listener with TLS"
const noTls12 = "only TLS 1.3 is spoken: clients that have no more than TLS 1.2 are refused"
const noEngine = "keys are read from PEM files"
const mqttPlugin = "there are no plugins"

/** Options that stand anywhere. */
export const generalRows: Rows = {
  acl_file: { to: "aclFile", why: "read as it is", special: true },
  allow_anonymous: {
    to: "login.anonymous",
    why: "written down where it is not said, too: it is false there, unless no listener is named",
    special: true,
  },
  allow_duplicate_messages: {
    read: always(false, "a client gets a message once, however many of its subscriptions match"),
  },
  allow_zero_length_clientid: {
    read: always(true, "clients without an identifier get one of the broker's"),
  },
  auth_plugin_deny_special_chars: { why: mqttPlugin },
  auto_id_prefix: { why: "identifiers that the broker gives have no prefix of one's own" },
  autosave_interval: {
    why: "what is acknowledged is written before it is acknowledged; `store.flushInterval` collects changes for a while, for flash",
  },
  autosave_on_changes: { why: "changes are written as they come" },
  check_retain_source: {
    read: always(false, "whether a retained message may be delivered is asked for who receives it alone"),
  },
  clientid_prefixes: {
    why: "clients are not told apart by the beginning of their identifier; rules of an access control list go by the whole",
  },
  connection_messages: {
    read: always(true, 'each connection has its line in the log, or nothing has one (`log = "none"`)'),
  },
  enable_control_api: { read: always(false, "there is no $CONTROL") },
  global_max_clients: {
    to: "limits.maximumSessions",
    read: number({ low: 1, high: any, unlimitedTexts: ["-1"] }),
    why: "when there are as many, the one absent for the longest time makes room",
  },
  global_max_connections: {
    to: "limits.maximumConnections",
    read: number({ low: 1, high: any, unlimitedTexts: ["-1"] }),
  },
  global_plugin: { why: "there are no plugins; files of passwords and rules are read without", special: true },
  include_dir: { to: "", why: "its files are read, and become part of the one file", special: true },
  log_dest: { to: "log", why: log, special: true },
  log_facility: { why: log },
  log_timestamp: { read: always(true, "lines of the log have their time") },
  log_timestamp_format: { why: "times in the log are those of ISO 8601" },
  log_type: { to: "log", why: "the log has all of its lines, or none", special: true },
  max_inflight_bytes: {
    read: (text) =>
      text === "0"
        ? { holds: "messages under way are counted, not their bytes" }
        : { left: "messages under way are counted, not their bytes" },
  },
  max_inflight_messages: {
    to: "limits.maximumInflight",
    read: number({ low: 1, high: 65_534, unlimited: 65_534, unlimitedTexts: ["0"] }),
  },
  max_keepalive: {
    to: "limits.maximumKeepAlive",
    read: number({ low: 0, high: 65_535, differs: "MQTT 3.1.1 clients that ask for more are let in" }),
    why: "MQTT 3.1.1 clients that ask for more are let in",
  },
  max_packet_size: {
    to: "limits.maximumPacketSize",
    read: number({ low: 128, high: 268_435_460, unlimited: 268_435_460, unlimitedTexts: ["0"] }),
  },
  max_queued_bytes: { to: "limits.maximumQueuedBytes", read: number({ low: 1, high: any, unlimitedTexts: ["0"] }) },
  max_queued_messages: {
    to: "limits.maximumQueuedMessages",
    read: number({ low: 1, high: any, unlimitedTexts: ["0"] }),
  },
  memory_limit: {
    to: "limits.maximumTotalBytes",
    read: number({
      low: 1,
      high: any,
      unlimitedTexts: ["0"],
      differs: "of what clients make the broker keep; who sends or receives too much waits or is disconnected",
    }),
    why: "of what clients make the broker keep; who sends or receives too much waits or is disconnected",
  },
  message_size_limit: {
    to: "limits.maximumPayloadSize",
    read: number({
      low: 1,
      high: 268_435_455,
      unlimited: 268_435_455,
      unlimitedTexts: ["0"],
      differs: "MQTT 5.0 clients are told 0x97, not 0x83",
    }),
    why: "MQTT 5.0 clients are told 0x97, not 0x83",
  },
  password_file: {
    to: "login.passwordFile",
    why: "read as it is; `puremq passwd` adds users of ours to it",
    special: true,
  },
  per_listener_settings: { to: "", why: "options of a listener that it has of its own stand below it", special: true },
  persistence: {
    to: "store.type",
    why: "`files` or `memory`. What is acknowledged is on disk; a mosquitto.db is not read",
    special: true,
  },
  persistence_file: { why: "the store is a folder of files of its own form" },
  persistence_location: { to: "store.directory", why: "a folder `puremq` in it", special: true },
  persistent_client_expiration: {
    to: "limits.maximumSessionExpiryInterval",
    why: "MQTT 5.0 clients are held to it, too",
    special: true,
  },
  pid_file: { why: "a supervisor knows the process; systemd needs none" },
  plugin: {
    to: "",
    why: "mosquitto_password_file and mosquitto_acl_file become files of ours; there are no others",
    special: true,
  },
  auth_plugin: {
    to: "",
    why: "there are no plugins; tokens and a server that is asked are `login.jwt` and `login.http` (docs/hooks.md)",
    special: true,
  },
  plugin_opt_: { to: "", why: "of the plugins above", special: true },
  auth_opt_: { to: "", why: "of the plugins above", special: true },
  psk_file: { why: "listeners have no pre-shared keys; clients show certificates or log in" },
  queue_qos0_messages: { read: always(false, "messages of QoS 0 are not kept for clients that are away") },
  retain_available: { to: "features.retainAvailable", read: flag() },
  retain_expiry_interval: { read: () => ({ holds: "retained messages that are over are taken out in time" }) },
  set_tcp_nodelay: { read: always(true, "small packets leave at once, always", "small packets leave at once, always") },
  sys_interval: { to: "sysInterval", read: number({ low: 0, high: 86_400 }) },
  upgrade_outgoing_qos: {
    read: always(false, "a message is never delivered at a higher QoS than it was published with"),
  },
  user: { why: "start it as the user that it is to be; it needs no root, but for ports below 1024" },
  websockets_log_level: { why: log },
}

/** Options of the listener named last. */
export const listenerRows: Rows = {
  listener: {
    to: "listeners.*.port",
    why: "a table of its own, with its address as `host`; sockets of Unix are left out",
    special: true,
  },
  port: { to: "listeners.*.port", special: true },
  bind_address: { to: "listeners.*.host", special: true },
  bind_interface: { why: "`host` takes an address of that interface" },
  accept_protocol_versions: { why: "every listener speaks MQTT 3.1, 3.1.1 and 5.0", special: true },
  enable_proxy_protocol: {
    to: "listeners.*.proxyProtocol.trusted",
    why: "needs the addresses that the proxy has; both versions are read",
    special: true,
  },
  proxy_protocol_v2_require_tls: { read: always(false, "what a proxy says of TLS is not asked for") },
  http_dir: { why: "files are not served" },
  listener_allow_anonymous: {
    to: "listeners.*.login.anonymous",
    why: "where listeners cannot differ in it, false unless all of them say true",
    special: true,
  },
  listener_auto_id_prefix: { why: "identifiers that the broker gives have no prefix of one's own" },
  max_connections: {
    to: "listeners.*.limits.maximumConnections",
    why: "where a listener cannot have it, `limits.maximumConnections` of all together",
    special: true,
  },
  max_qos: { to: "features.maximumQos", why: "of all listeners", special: true },
  max_topic_alias: { to: "limits.topicAliasMaximum", read: number({ low: 0, high: 65_535 }), why: "of all listeners" },
  max_topic_alias_broker: {
    to: "limits.outboundTopicAliases",
    read: number({ low: 0, high: 65_535 }),
    why: "of all listeners",
  },
  mount_point: { why: "topics of a listener have no prefix; whoever can reach it, sees the same topics" },
  protocol: {
    to: "listeners.*.type",
    why: "mqtt: `tcp` or `tls`; websockets: `ws` or `wss`; http_api: `admin`, with other paths and answers, and a token that is made",
    special: true,
  },
  socket_domain: { to: "listeners.*.host", why: "ipv4: 0.0.0.0; ipv6: ::, which takes IPv4, too", special: true },
  use_username_as_clientid: { read: always(false, "a client keeps the identifier that it says") },
  packet_buffer_size: { why: "buffers grow with what comes" },
  websockets_headers_size: { why: "the head of a WebSocket has 16 KiB at most" },
  websockets_origin: {
    to: "listeners.*.origins",
    why: "without it pages of the same origin, there of any",
    special: true,
  },
  certfile: { to: "listeners.*.cert", why: certificate, special: true },
  keyfile: { to: "listeners.*.key", why: certificate, special: true },
  cafile: {
    to: "listeners.*.ca",
    why: "of clients' certificates alone; where they are not asked for, it means nothing",
    special: true,
  },
  capath: { why: "`ca` is one file: cat DIR/*.pem > ca.pem" },
  ciphers: { why: noTls12 },
  "ciphers_tls1.3": { to: "listeners.*.suites", why: "those that we have, in that order", special: true },
  crlfile: {
    to: "listeners.*.crl",
    why: "looked up for every certificate of the chain whose list is there",
    special: true,
  },
  dhparamfile: { why: "TLS 1.3 has groups, and no parameters of one's own" },
  disable_client_cert_date_checks: { read: always(false, "certificates that are over are refused") },
  require_certificate: { to: "listeners.*.clientCertificate", why: "`require`, or `none`", special: true },
  tls_engine: { why: noEngine },
  tls_engine_kpass_sha1: { why: noEngine, secret: true },
  tls_keyform: { read: (text) => (text === "pem" ? { holds: noEngine } : { left: noEngine }) },
  tls_version: {
    read: (text) => (text === "tlsv1.3" ? { holds: "only TLS 1.3 is spoken" } : { left: noTls12 }),
    why: noTls12,
  },
  use_identity_as_username: { to: "listeners.*.identity", why: "`subject-cn`", special: true },
  use_subject_as_username: {
    to: "listeners.*.identity",
    why: "`subject`, in the form of RFC 4514, as theirs",
    special: true,
  },
  psk_hint: { why: "listeners have no pre-shared keys; clients show certificates or log in", special: true },
}

const noSuch = "a bridge of ours has no such option"

/** Options of the bridge named last. */
export const bridgeRows: Rows = {
  connection: { to: "bridges.name", special: true },
  address: {
    to: "bridges.address",
    why: "the first of them, behind mqtt:// or, where it has TLS, mqtts://",
    special: true,
  },
  addresses: { to: "bridges.address", why: "the same", special: true },
  topic: {
    to: "bridges.topics",
    why: "its words become `filter`, `direction`, `qos`, `localPrefix` and `remotePrefix`; one of nothing but prefixes is left out",
    special: true,
  },
  remote_clientid: { to: "bridges.clientId" },
  clientid: { to: "bridges.clientId", why: "the older name" },
  remote_username: { to: "bridges.username" },
  username: { to: "bridges.username", why: "the older name" },
  remote_password: { to: "bridges.passwordFile", why: "written into a file beside", secret: true, special: true },
  password: { to: "bridges.passwordFile", why: "the older name", secret: true, special: true },
  bridge_protocol_version: {
    to: "bridges.version",
    read: bridgeVersion,
    why: "written down as 3.1.1 where it is not said; 3.1 is not spoken",
  },
  keepalive_interval: { to: "bridges.keepAlive", read: number({ low: 5, high: 65_535 }) },
  bridge_session_expiry_interval: { to: "bridges.sessionExpiry", read: number({ low: 0, high: 0xffff_ffff }) },
  bridge_receive_maximum: {
    to: "bridges.maximumInflight",
    read: number({ low: 1, high: 65_535 }),
    why: "in each direction",
  },
  cleansession: {
    to: "bridges.sessionExpiry",
    read: (text) => (flagOf(text) === true ? { value: 0 } : { holds: "the other broker keeps its session" }),
    why: "`true`: 0",
  },
  restart_timeout: { to: "bridges.retryMinimum", why: "and `retryMaximum`, in milliseconds", special: true },
  bridge_cafile: { to: "bridges.ca", special: true },
  bridge_certfile: { to: "bridges.cert", special: true },
  bridge_keyfile: { to: "bridges.key", special: true },
  bridge_alpn: { to: "bridges.alpn", read: (text) => ({ value: [text] }) },
  bridge_identity: { to: "bridges.pskIdentity" },
  bridge_psk: { to: "bridges.pskFile", why: "written into a file beside", secret: true, special: true },
  bridge_tls_use_os_certs: { read: always(true, "without `ca` the authorities of this machine are trusted") },
  bridge_insecure: { read: always(false, "the other broker's certificate is always checked, with its name") },
  bridge_capath: { why: "`ca` is one file: cat DIR/*.pem > ca.pem" },
  bridge_require_ocsp: { read: always(false, noSuch) },
  bridge_tls_version: {
    read: (text) => (text === "tlsv1.3" ? { holds: "only TLS 1.3 is spoken" } : { left: noTls12 }),
    why: noTls12,
  },
  bridge_ciphers: { why: noTls12 },
  "bridge_ciphers_tls1.3": { why: "it offers all suites of TLS 1.3 that we have" },
  local_password: { why: "it needs no login at its own broker", secret: true },
  local_username: { why: "it needs no login at its own broker" },
  local_clientid: { why: "it is no client of its own broker" },
  local_cleansession: { why: noSuch },
  start_type: {
    read: (text) =>
      text === "automatic"
        ? { holds: "it connects when the broker starts, and again" }
        : { left: "it connects when the broker starts, and again" },
  },
  idle_timeout: { why: "it stays connected" },
  threshold: { why: "it stays connected" },
  round_robin: { read: always(false, "it has one address") },
  notifications: { read: always(false, "the log says how it is, and no topic does") },
  notifications_local_only: { why: "the log says how it is, and no topic does" },
  notification_topic: { why: "the log says how it is, and no topic does" },
  try_private: { read: () => ({ holds: "messages that come from the other broker do not go back there" }) },
  bridge_attempt_unsubscribe: { read: () => ({ holds: "it is subscribed to what its topics say" }) },
  bridge_outgoing_retain: { read: always(true, "write `retain = false` at each of its topics") },
  bridge_bind_address: { why: noSuch },
  bridge_max_packet_size: { why: "what the other broker says it takes holds" },
  bridge_max_topic_alias: { why: noSuch },
  bridge_tcp_keepalive: { why: noSuch },
  bridge_tcp_user_timeout: { why: noSuch },
  bridge_reload_type: { why: noSuch },
}
