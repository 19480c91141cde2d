// What each option of a bridge of nanomq.conf (`bridges.mqtt.NAME`, and `bridge.mqtt.NAME` of the older form) is here.

import { always, number, type Rows } from "./values.ts"

const noSuch = "a bridge of ours has no such option"
const noQuic = "there is no QUIC"
const sockets = "sockets are those of the runtime"

export const nanomqBridgeRows: Rows = {
  server: {
    to: "bridges.address",
    why: "mqtt-tcp:// is mqtt://, and tls+mqtt-tcp:// is mqtts://; there is no QUIC",
    special: true,
  },
  address: { to: "bridges.address", why: "the older name of `server`", special: true },
  enable: { to: "", why: "a bridge that is off is left out", special: true },
  bridge_mode: { to: "", why: "the same, in the older form", special: true },
  proto_ver: {
    to: "bridges.version",
    read: (text) => (text === "5" ? { value: "5.0" } : { value: "3.1.1" }),
    why: "written down as 3.1.1 where it is not said",
  },
  clientid: { to: "bridges.clientId" },
  keepalive: { to: "bridges.keepAlive", read: number({ low: 0, high: 65_535, unit: "seconds" }) },
  backoff_max: { to: "bridges.retryMaximum", read: number({ low: 1000, high: 3_600_000, unit: "milliseconds" }) },
  clean_start: {
    to: "bridges.sessionExpiry",
    read: (text) => (text === "true" ? { value: 0 } : { holds: "the other broker keeps its session" }),
    why: "`true`: 0",
  },
  username: { to: "bridges.username" },
  password: { to: "bridges.passwordFile", why: "written into a file beside", secret: true, special: true },
  "conn_properties.session_expiry_interval": {
    to: "bridges.sessionExpiry",
    read: number({ low: 0, high: 0xffff_ffff, unit: "seconds" }),
  },
  "conn_properties.receive_maximum": {
    to: "bridges.maximumInflight",
    read: number({ low: 1, high: 65_535, differs: "in each direction" }),
    why: "in each direction",
  },
  "conn_properties.maximum_packet_size": { why: "what this broker takes holds (`limits.maximumPacketSize`)" },
  "conn_properties.*": { why: noSuch },
  "sub_properties.*": { why: noSuch },
  "will.*": {
    why: "a bridge has no will: `$SYS/broker/connection/NAME/state` says at this broker whether it is there",
  },
  "ssl.keyfile": { to: "bridges.key", special: true },
  "ssl.certfile": { to: "bridges.cert", special: true },
  "ssl.cacertfile": { to: "bridges.ca", special: true },
  "ssl.key_password": {
    to: "bridges.keyPasswordFile",
    why: "written into a file beside",
    secret: true,
    special: true,
  },
  "ssl.enable": { read: always(true, "TLS goes by the address") },
  "ssl.*": { why: "the other broker's certificate is always checked, with its name" },
  forwards: {
    to: "bridges.topics",
    why: "`direction` is `out`; a topic is renamed by its beginning (`localPrefix`, `remotePrefix`)",
    special: true,
  },
  subscription: {
    to: "bridges.topics",
    why: "`direction` is `in`; with the QoS of its own, or 1",
    special: true,
  },
  transparent: { read: always(false, "users of clients are not handed on") },
  "quic_*": { why: noQuic },
  hybrid_bridging: { read: always(false, noQuic) },
  hybrid_servers: { why: noQuic },
  max_parallel_processes: { read: () => ({ holds: "a bridge takes no thread" }) },
  parallel: { read: () => ({ holds: "a bridge takes no thread" }) },
  max_send_queue_len: { why: "what waits is bounded by `limits.maximumQueuedMessages` and `maximumQueuedBytes`" },
  max_recv_queue_len: { why: "what waits is bounded by `maximumInflight` of the bridge" },
  "tcp.*": { why: sockets },
  resend_interval: { read: () => ({ holds: "what is unacknowledged is sent again when the connection is back" }) },
  resend_wait: { read: () => ({ holds: "what is unacknowledged is sent again when the connection is back" }) },
}
