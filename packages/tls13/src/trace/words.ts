// The handshake in words, an event at a time: what `tls13 connect --trace` prints.
// Secrets and keys are shown to who asks for them only. What a peer chose to send is escaped, so that it cannot write to the
// terminal.

import { ContentType, codePointName, type HandshakeTypeName } from "../bytes/code-points.ts"
import { toHex } from "../bytes/hex.ts"
import type { SecretName, TraceEvent } from "./events.ts"
import { messageFields } from "./fields.ts"
import { messageDetails } from "./message-details.ts"

type MessageName = HandshakeTypeName | "hello_retry_request"

/** What more to show. */
export interface Detail {
  /** Messages as their bytes too, field by field; records with their headers. */
  readonly bytes?: boolean
  /** Secrets, keys and ivs: who has them can read the connection, and speak in it. */
  readonly secrets?: boolean
}

/** One event in one or more lines, without a line end. Never throws: a message that cannot be read says why. */
export function describe(event: TraceEvent, { bytes = false, secrets: showsSecrets = false }: Detail = {}): string {
  switch (event.type) {
    case "record":
      return bytes ? `${recordLine(event)}\n    header: ${toHex(event.record.subarray(0, 5))}` : recordLine(event)
    case "message": {
      const [name, section, meaning] = messages[event.name]
      const lines = [`${event.direction} ${name} (section ${section}), ${event.message.length} bytes: ${meaning}`]
      for (const detail of messageDetails(event.name, event.message)) lines.push(`    ${detail}`)
      if (bytes) for (const field of messageFields(event.name, event.message)) lines.push(`    | ${field}`)
      return lines.join("\n")
    }
    case "inner-hello": {
      const what = `${event.direction} ClientHelloInner (RFC 9849 section 5.1), ${event.message.length} bytes`
      const lines = [`${what}: what is meant, encrypted in the ClientHello`]
      for (const detail of messageDetails("client_hello", event.message)) lines.push(`    ${detail}`)
      if (bytes) for (const field of messageFields("client_hello", event.message)) lines.push(`    | ${field}`)
      return lines.join("\n")
    }
    case "alert":
      return `${event.direction} alert ${event.description}${alertMeaning(event.description)}`
    case "secret":
      return [
        `derived ${secretName(event.name, event.generation)}: ${secrets[event.name]}`,
        ...(showsSecrets ? [`    ${toHex(event.secret)}`] : []),
      ].join("\n")
    case "keys":
      return [
        `${event.direction} records are protected from here on with keys of ${event.secretName}`,
        ...(showsSecrets ? [`    key: ${toHex(event.key)}`, `    iv: ${toHex(event.iv)}`] : []),
      ].join("\n")
    case "transcript":
      return `transcript hash up to ${event.upTo}: ${toHex(event.hash)}`
    case "state":
      return `${event.role}: ${event.from === event.to ? `stays in ${event.to}` : `${event.from} > ${event.to}`}`
  }
}

function recordLine(event: Extract<TraceEvent, { type: "record" }>): string {
  const { contentType, innerType, content, record, direction } = event
  if (!event.protected) {
    return `${direction} record in the clear: ${codePointName(ContentType, contentType)}, ${content.length} bytes`
  }
  const inner = codePointName(ContentType, innerType)
  return `${direction} protected record: ${inner}, ${content.length} bytes of content in ${record.length} on the wire`
}

function secretName(name: SecretName, generation: number): string {
  return name.endsWith("_application_traffic_secret") ? `${name}_${generation}` : name
}

function alertMeaning(description: string): string {
  if (description === "close_notify") return ": the sender has nothing more to say"
  return description === "user_canceled" ? ": the sender gives up for a reason of its own" : ": the connection is over"
}

/** RFC 9846 section 4: what each message is for. */
const messages: Readonly<Record<MessageName, readonly [name: string, section: string, meaning: string]>> = {
  client_hello: [
    "ClientHello",
    "4.2.2",
    "what the client can do, and key shares of groups that it guesses or was asked for",
  ],
  hello_retry_request: ["HelloRetryRequest", "4.2.4", "the server asks for another ClientHello"],
  server_hello: [
    "ServerHello",
    "4.2.3",
    "what the server chose (a key share, a pre-shared key, or both), of which both sides make the handshake keys",
  ],
  encrypted_extensions: ["EncryptedExtensions", "4.4.1", "the server's answers that are not needed to make keys"],
  certificate_request: ["CertificateRequest", "4.4.2", "the server asks the client for a certificate"],
  certificate: ["Certificate", "4.5.1", "who the sender says it is"],
  compressed_certificate: ["CompressedCertificate", "4.5.1", "who the sender says it is, compressed"],
  certificate_verify: [
    "CertificateVerify",
    "4.5.2",
    "a signature over the handshake so far: the sender has the private key",
  ],
  finished: ["Finished", "4.5.3", "a MAC over the whole handshake: nothing was changed on the way"],
  end_of_early_data: ["EndOfEarlyData", "4.6", "the client's 0-RTT data ends here"],
  new_session_ticket: ["NewSessionTicket", "4.7.1", "a pre-shared key for a later, shorter handshake"],
  key_update: ["KeyUpdate", "4.7.3", "the sender's next record uses new keys"],
  message_hash: ["message_hash", "4.1", "stands for the first ClientHello in the transcript; never sent"],
}

/** RFC 9846 section 7.1: what each secret is for. */
const secrets: Readonly<Record<SecretName, string>> = {
  early_secret: "the pre-shared key, or zeros, goes into the schedule",
  binder_key: "proves in the ClientHello that its sender has the pre-shared key",
  client_early_traffic_secret: "protects the client's 0-RTT data",
  early_exporter_secret: "keying material for the application, bound to 0-RTT",
  handshake_secret: "the secret of the key exchange, or zeros, goes into the schedule",
  client_handshake_traffic_secret: "protects the client's handshake messages",
  server_handshake_traffic_secret: "protects the server's handshake messages",
  main_secret: "the root of everything after the handshake",
  client_application_traffic_secret: "protects what the client's application sends",
  server_application_traffic_secret: "protects what the server's application sends",
  exporter_secret: "keying material for the application (RFC 9846 section 7.5)",
  resumption_secret: "the root of the pre-shared keys of tickets",
}
