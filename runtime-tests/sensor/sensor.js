// A sensor: MQTT 5.0 over TLS 1.3, for an engine that has neither. What the host carries are the bytes of its transport; random bytes
// and the time are lent.

import { MqttClient } from "@puremq/broker/client"
import { ClientConnection } from "@puremq/tls13"
import { ecdsaP256Sha256, TLS_CHACHA20_POLY1305_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { certificates, createLeanClientConfig } from "@puremq/tls13/lean"
import { createCertificateVerifier, trustStoreFromPem } from "@puremq/tls13/x509"

const random = (length) => new Uint8Array(lendRandom(length))
const cipherSuites = [TLS_CHACHA20_POLY1305_SHA256]
const provider = { name: "sensor", cipherSuites, keyExchanges: [x25519], signatures: [ecdsaP256Sha256], random }
/** Of a record, and of an MQTT packet: bytes. */
const most = 1024

let tls
let mqtt
/** The host has been given our end of TLS. */
let isOver = false
/** What the broker did, for the host. */
const events = []

/** What goes to the broker: what TLS made itself, and what MQTT has to say behind it. */
function bytesFor({ output, events: came }, now) {
  const parts = [output]
  for (const event of came) {
    if (event.type === "failed") {
      note({ event: "failed", error: event.error })
      mqtt.lost()
      isOver = true // what goes out is the alert
    }
    if (event.type === "connected") mqtt.connect(now)
    if (event.type === "data") mqtt.receive(event.data, now)
    if (event.type === "end") mqtt.lost()
  }
  if (mqtt.waiting > 0) parts.push(tls.send(mqtt.take()).output)
  if ((mqtt.state === "ending" || mqtt.state === "closed") && !isOver) {
    isOver = true
    parts.push(tls.close().output)
  }
  return Uint8Array.from(parts.flatMap((part) => [...part])).buffer
}

function note(event) {
  const text = event.payload && String.fromCharCode(...event.payload)
  events.push({ ...event, payload: text, error: event.error?.message })
}

const nothing = { output: new Uint8Array(0), events: [] }

Object.assign(globalThis, {
  /** @param builtAt milliseconds since 1970, when the firmware was built: it is later than that */
  start(now, serverName, authority, builtAt, clientId) {
    const verifier = createCertificateVerifier({
      trust: trustStoreFromPem(authority),
      unknownTime: { atLeast: builtAt },
    })
    const options = { provider, serverName, verifier, recordSizeLimit: most, maxFragment: most }
    tls = new ClientConnection(createLeanClientConfig(options, { certificates }), now)
    mqtt = new MqttClient({ clientId, keepAlive: 30, maximumPacketSize: most }, note)
    return bytesFor(tls.start(), now)
  },
  receive: (now, bytes) => bytesFor(tls.receive(new Uint8Array(bytes), now), now),
  end: (now) => bytesFor(tls.receiveEnd(now), now),
  subscribe(now, filter) {
    mqtt.subscribe([{ filter, qos: 1 }])
    return bytesFor(nothing, now)
  },
  publish(now, topic, payload) {
    mqtt.publish({ topic, payload, qos: 1 })
    return bytesFor(nothing, now)
  },
  disconnect(now) {
    mqtt.disconnect()
    return bytesFor(nothing, now)
  },
  /** Handshake and CONNACK in time, Keep Alive: to be called once a second, say. */
  tick(now) {
    mqtt.tick(now)
    return bytesFor(tls.tick(now), now)
  },
  /** What the broker did since the last time, as JSON. */
  told: () => JSON.stringify(events.splice(0)),
  info: () => JSON.stringify(tls.info ?? null),
})
