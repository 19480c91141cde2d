// What the main options of emqx.conf (EMQX 5) are here. docs/coming-from.md is made of it.

import type { Reading } from "./outcome.ts"
import { always, flag, number, type Rows, suitesOf } from "./values.ts"

const any = Number.MAX_SAFE_INTEGER
const log = "the log is one line an event, on standard output, where systemd or Docker take it"
const noTls12 = "only TLS 1.3 is spoken: clients that have no more than TLS 1.2 are refused"
const sockets = "sockets are those of the runtime"
const noRules = "there is no rule engine, and no connectors to other systems"
const forever = ["infinity"]

const versions = (text: string): Reading =>
  text === "tlsv1.3" ? { holds: "only TLS 1.3 is spoken" } : { left: noTls12 }

/** `listeners.tcp.NAME`, `ssl`, `ws` and `wss`. */
export const emqxListenerRows: Rows = {
  bind: { to: "listeners.*.port", why: "its host becomes `host`", special: true },
  enable: { to: "", why: "a listener that is off is left out", special: true },
  enabled: { to: "", why: "the same", special: true },
  acceptors: { read: () => ({ holds: "connections are accepted as they come" }) },
  max_connections: {
    to: "listeners.*.limits.maximumConnections",
    why: "where a listener cannot have it, `limits.maximumConnections` of all together",
    special: true,
  },
  enable_authn: { read: always(true, "every listener asks for the same login") },
  mountpoint: {
    why: "topics of a listener have no prefix",
    read: (text) =>
      text === ""
        ? { holds: "topics have no prefix" }
        : { left: "topics of a listener have no prefix; whoever can reach it, sees the same topics" },
  },
  zone: { why: "there are no zones: limits are of the broker" },
  access_rules: {
    why: "who may connect from where is for a firewall",
    read: (text) =>
      text === "allow all"
        ? { holds: "who may connect from where is for a firewall" }
        : { left: "who may connect from where is for a firewall" },
  },
  proxy_protocol: {
    to: "listeners.*.proxyProtocol.trusted",
    why: "needs the addresses that the proxy has",
    special: true,
  },
  proxy_protocol_timeout: { why: "the time for a handshake, or for CONNECT, holds for it, too" },
  max_conn_rate: { why: "connections have no rate; handshakes at once have a limit (`maxPendingHandshakes`)" },
  messages_rate: { to: "limits.maximumPublishRate", why: "of all listeners", special: true },
  bytes_rate: { to: "limits.maximumPublishByteRate", why: "of all listeners", special: true },
  "tcp_options.*": { why: sockets },
  "tcp.*": { why: sockets },
  "ssl_options.cacertfile": { to: "listeners.*.ca", why: "of clients' certificates alone", special: true },
  "ssl_options.certfile": { to: "listeners.*.cert", special: true },
  "ssl_options.keyfile": { to: "listeners.*.key", special: true },
  "ssl_options.password": {
    to: "listeners.*.keyPasswordFile",
    why: "it is written into a file beside",
    secret: true,
    special: true,
  },
  "ssl_options.verify": {
    to: "listeners.*.clientCertificate",
    why: "verify_peer: `request`, or `require` with the next",
    special: true,
  },
  "ssl_options.fail_if_no_peer_cert": { to: "listeners.*.clientCertificate", why: "true: `require`", special: true },
  "ssl_options.versions": { read: versions, why: noTls12 },
  "ssl_options.ciphers": {
    to: "listeners.*.suites",
    read: suitesOf,
    why: "those of TLS 1.3 that we have, in that order",
  },
  "ssl_options.depth": { why: "a chain has 32 certificates at most" },
  "ssl_options.handshake_timeout": {
    to: "listeners.*.handshakeTimeout",
    read: number({ low: 1, high: 600_000, unit: "milliseconds" }),
  },
  "ssl_options.reuse_sessions": {
    to: "listeners.*.tickets.count",
    read: (text) => (text === "false" ? { value: 0 } : { holds: "a client comes again with a ticket" }),
    why: "`false`: 0",
  },
  "ssl_options.honor_cipher_order": { read: always(true, "the server's order of suites counts") },
  "ssl_options.secure_renegotiate": { read: () => ({ holds: "TLS 1.3 has no renegotiation" }) },
  "ssl_options.client_renegotiation": { read: () => ({ holds: "TLS 1.3 has no renegotiation" }) },
  "ssl_options.gc_after_handshake": { read: () => ({ holds: "memory is used again" }) },
  "ssl_options.hibernate_after": { read: () => ({ holds: "an idle connection costs next to nothing" }) },
  "ssl_options.log_level": { why: log },
  "ssl_options.dhfile": { why: "TLS 1.3 has groups, and no parameters of one's own" },
  "ssl_options.user_lookup_fun": { why: "listeners have no pre-shared keys" },
  "ssl_options.partial_chain": { why: "a chain ends at an authority of `ca`" },
  "ssl_options.verify_peer_ext_key_usage": { read: () => ({ holds: "a certificate of a client must be for clients" }) },
  "ssl_options.enable_crl_check": {
    read: always(false, "name lists as `crl`: they are read from a file, and not fetched"),
  },
  "ssl_options.ocsp.*": { why: "a staple is a file (`ocspFile`), which somebody else fetches" },
  "ssl.*": { why: "the older name of ssl_options: write those" },
  "websocket.mqtt_path": { to: "listeners.*.path", special: true },
  "websocket.check_origin_enable": { to: "listeners.*.origins", special: true },
  "websocket.check_origins": { to: "listeners.*.origins", special: true },
  "websocket.allow_origin_absence": { read: always(true, "programs that are no browsers have no origin, and may") },
  "websocket.fail_if_no_subprotocol": { read: always(true, "a client of WebSocket has to speak mqtt") },
  "websocket.compress": { read: always(false, "messages are not compressed") },
  "websocket.idle_timeout": { why: "keep alive is that of MQTT" },
  "websocket.max_frame_size": { why: "`limits.maximumPacketSize` bounds what a client sends" },
  "websocket.*": { why: "the WebSocket is that of RFC 6455, without extensions" },
}

export const emqxRows: Rows = {
  "mqtt.idle_timeout": {
    to: "limits.connectTimeout",
    read: number({ low: 1, high: any, unit: "milliseconds", unlimitedTexts: forever }),
  },
  "mqtt.max_packet_size": {
    to: "limits.maximumPacketSize",
    read: number({ low: 128, high: 268_435_460, unit: "bytes" }),
  },
  "mqtt.max_clientid_len": { to: "limits.maximumClientIdLength", read: number({ low: 1, high: any }) },
  "mqtt.max_topic_levels": { to: "limits.maximumTopicLevels", read: number({ low: 1, high: 1024 }) },
  "mqtt.max_qos_allowed": { to: "features.maximumQos", read: number({ low: 0, high: 2 }) },
  "mqtt.max_topic_alias": { to: "limits.topicAliasMaximum", read: number({ low: 0, high: 65_535 }) },
  "mqtt.retain_available": { to: "features.retainAvailable", read: flag() },
  "mqtt.wildcard_subscription": { to: "features.wildcardSubscriptionAvailable", read: flag() },
  "mqtt.shared_subscription": { to: "features.sharedSubscriptionAvailable", read: flag() },
  "mqtt.exclusive_subscription": { read: always(false, "a topic may have several subscribers") },
  "mqtt.ignore_loop_deliver": { read: always(false, "MQTT 3.1.1 has no No Local") },
  "mqtt.strict_mode": {
    read: always(
      true,
      "packets are always read strictly: what is no UTF-8, say, ends the connection",
      "packets are always read strictly",
    ),
  },
  "mqtt.response_information": {
    to: "responseInformation",
    read: (text) =>
      text === "" ? { holds: "there is none" } : { value: text, differs: "%c in it is the client identifier" },
  },
  "mqtt.server_keepalive": {
    to: "limits.maximumKeepAlive",
    read: number({
      low: 1,
      high: 65_535,
      unlimited: 0,
      unlimitedTexts: ["disabled"],
      differs: "clients with a shorter one keep it",
    }),
    why: "clients with a shorter one keep it",
  },
  "mqtt.keepalive_multiplier": {
    why: "a client is gone after one and a half times its keep alive, as MQTT has it",
    read: (text) =>
      text === "1.5"
        ? { holds: "it is one and a half" }
        : { left: "a client is gone after one and a half times its keep alive, as MQTT has it" },
  },
  "mqtt.max_subscriptions": {
    to: "limits.maximumSubscriptions",
    read: number({ low: 1, high: any, unlimitedTexts: forever }),
  },
  "mqtt.upgrade_qos": {
    read: always(false, "a message is never delivered at a higher QoS than it was published with"),
  },
  "mqtt.max_inflight": { to: "limits.maximumInflight", read: number({ low: 1, high: 65_534 }) },
  "mqtt.retry_interval": {
    read: () => ({
      holds:
        "MQTT 5.0 forbids to send again on an open connection: what is unacknowledged is sent again when the client is back",
    }),
  },
  "mqtt.max_awaiting_rel": {
    to: "limits.receiveMaximum",
    read: number({
      low: 1,
      high: 65_535,
      unlimited: 65_535,
      unlimitedTexts: forever,
      differs: "of QoS 1 and 2 together, and clients are told",
    }),
    why: "of QoS 1 and 2 together, and clients are told",
  },
  "mqtt.await_rel_timeout": {
    why: "a QoS 2 message that was received is known until PUBREL, or the end of its session",
  },
  "mqtt.session_expiry_interval": {
    to: "limits.maximumSessionExpiryInterval",
    read: number({ low: 0, high: 0xffff_ffff, unit: "seconds", differs: "MQTT 5.0 clients are held to it, too" }),
    why: "MQTT 5.0 clients are held to it, too",
  },
  "mqtt.message_expiry_interval": {
    why: "a message is over when its publisher says so",
    read: (text) =>
      text === "infinity"
        ? { holds: "a message is over when its publisher says so" }
        : { left: "a message is over when its publisher says so" },
  },
  "mqtt.max_mqueue_len": {
    to: "limits.maximumQueuedMessages",
    read: number({ low: 1, high: any, unlimitedTexts: forever }),
  },
  "mqtt.mqueue_store_qos0": { read: always(false, "messages of QoS 0 are not kept for clients that are away") },
  "mqtt.mqueue_priorities": {
    why: "messages wait in the order that they came in",
    read: (text) =>
      text === "disabled"
        ? { holds: "messages wait in the order that they came in" }
        : { left: "messages wait in the order that they came in" },
  },
  "mqtt.mqueue_default_priority": { why: "messages wait in the order that they came in" },
  "mqtt.use_username_as_clientid": { read: always(false, "a client keeps the identifier that it says") },
  "mqtt.peer_cert_as_username": { to: "listeners.*.identity", why: "cn: `subject-cn`; dn: `subject`", special: true },
  "mqtt.peer_cert_as_clientid": {
    read: (text) =>
      text === "disabled"
        ? { holds: "a client keeps the identifier that it says" }
        : { left: "a client keeps the identifier that it says" },
  },
  "mqtt.shared_subscription_strategy": {
    why: "members of a group take turns, and one that has no room is passed over",
  },
  "mqtt.*": { why: "there is no such option here" },
  "retainer.enable": { to: "features.retainAvailable", read: flag() },
  "retainer.max_payload_size": { why: "`limits.maximumRetainedBytes` bounds all of them" },
  "retainer.backend.max_retained_messages": {
    to: "limits.maximumRetainedMessages",
    read: number({ low: 1, high: any, unlimitedTexts: ["0", ...forever] }),
  },
  "retainer.*": { why: "retained messages are kept with sessions, in the store" },
  "sys_topics.sys_msg_interval": {
    to: "sysInterval",
    read: number({ low: 1, high: 86_400, unlimited: 0, unlimitedTexts: ["disabled"], unit: "seconds" }),
  },
  "sys_topics.*": { why: "topics below $SYS are those of docs/sys-topics.md" },
  authentication: {
    to: "login.jwt",
    why: "of `mechanism = jwt` keys and claims; of `backend = http` the address (`login.http.url`), whose server has to learn other questions; users of a database are in a file here (`login.passwordFile`), which `puremq passwd` writes",
    special: true,
  },
  "authentication.*": { to: "login.jwt", why: "the same, of a single one", special: true },
  "authorization.no_match": { to: "aclFile", why: "a rule for everybody at the end of the list", special: true },
  "authorization.deny_action": {
    read: (text) =>
      text === "ignore"
        ? { holds: "what is refused is answered, and nothing more" }
        : { left: "a client that is refused something stays connected" },
  },
  "authorization.sources": {
    to: "aclFile",
    why: "of `type = file` the simple rules are written into a file beside; what denies wins there, wherever it stands",
    special: true,
  },
  "authorization.*": { read: () => ({ holds: "rules are in memory" }) },
  "log.*": { why: log },
  "prometheus.*": { why: "nothing is pushed: name a port (`metrics.port`), which Prometheus asks (docs/metrics.md)" },
  "dashboard.listeners.http.bind": {
    to: "admin.port",
    why: "a page and an API with other paths and answers, of this machine alone, unless it has TLS",
    special: true,
  },
  "dashboard.listeners.https.bind": { to: "admin.port", why: "the same with TLS", special: true },
  "dashboard.listeners.https.ssl_options.certfile": { to: "admin.cert", special: true },
  "dashboard.listeners.https.ssl_options.keyfile": { to: "admin.key", special: true },
  "dashboard.default_username": {
    to: "admin.tokenFile",
    why: "a token is made, and written into a file beside",
    special: true,
  },
  "dashboard.default_password": { to: "admin.tokenFile", why: "the same", secret: true, special: true },
  "dashboard.*": { why: "the admin API and its page ask for tokens (`puremq token`)" },
  "api_key.*": { why: "the admin API and its page ask for tokens (`puremq token`)" },
  "node.*": { why: "the process is one of Node, Deno or Bun; what it keeps is below `store.directory`" },
  "cluster.*": { why: "one process is the broker" },
  "rpc.*": { why: "one process is the broker" },
  "sysmon.*": { why: "`metrics` has the figures" },
  "alarm.*": { why: "`metrics` has the figures" },
  "psk_authentication.*": { why: "listeners have no pre-shared keys", secret: true },
  "flapping_detect.*": { why: "`limits.maximumConnectionsPerAddress` bounds an address" },
  "force_shutdown.*": { why: "`limits` bound what a client costs" },
  "force_gc.*": { why: "the runtime collects its garbage" },
  "conn_congestion.*": { why: "`limits` bound what a client costs" },
  "delayed.*": { why: "topics that begin with $ are the broker's own" },
  "rewrite.*": { why: "topics stay as they are" },
  "auto_subscribe.*": { why: "clients subscribe themselves" },
  "rule_engine.*": { why: noRules },
  "bridges.*": { why: noRules },
  "connectors.*": { why: noRules },
  "actions.*": { why: noRules },
  "sources.*": { why: noRules },
  "exhook.*": { why: "there are no hooks by gRPC" },
  "gateway.*": { why: "MQTT is spoken, and nothing else" },
  "plugins.*": { why: "there are no plugins" },
  "telemetry.*": { read: () => ({ holds: "nobody is told of your broker" }) },
  "opentelemetry.*": { why: log },
  "license.*": { why: "there is none", secret: true },
  "zones.*": { why: "there are no zones: limits are of the broker" },
  "limiter.*": { why: "`limits` bound what a client costs" },
  "stats.*": { read: () => ({ holds: "`metrics` and $SYS have the figures" }) },
  "crl_cache.*": { why: "revocation lists are files" },
}
