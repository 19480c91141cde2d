// What each field is, in our own words, with the section that defines it: RFC 9846 where no other document is named. The fields are
// those that the codec reads (structure and name as in its sources) and those of the record layer; tests/meanings.test.ts has every
// field of every scenario looked up.

import type { AlertName } from "@puremq/tls13"
import { codePointName, ExtensionType } from "@puremq/tls13/explore"
import type { Field } from "./recording/spans.ts"

export interface Meaning {
  /** As the document names the field. */
  readonly name: string
  readonly text: string
  /** `RFC 9846 section 4.2.2`. */
  readonly section: string
}

type Row = readonly [text: string, section: string, name?: string]

const version =
  "The version on the label, not the version in use: old machines on the way let nothing else pass, so TLS 1.3 says 1.2 here and the truth in supported_versions."

const rows: Readonly<Record<string, Row>> = {
  /* records */
  "TLSPlaintext.type": ["What the record carries, readable for everybody.", "5.1"],
  "TLSPlaintext.legacy_record_version": [
    "Always 0x0303, or 0x0301 around a first ClientHello. Nobody looks at it.",
    "5.1",
  ],
  "TLSPlaintext.length": ["How many bytes of content follow: at most 2^14.", "5.1"],
  "TLSPlaintext.fragment": [
    "The content, in the clear: handshake messages may be cut anywhere between records.",
    "5.1",
  ],
  "TLSCiphertext.opaque_type": [
    "Always application_data: what is really inside stands encrypted at the end of the content.",
    "5.2",
  ],
  "TLSCiphertext.legacy_record_version": ["Always 0x0303.", "5.2"],
  "TLSCiphertext.length": [
    "How many bytes follow: content, type, padding and tag. The header is authenticated with them.",
    "5.2",
  ],
  "TLSCiphertext.encrypted_record": [
    "Content, type and padding, sealed by the AEAD under a nonce that is sent nowhere: sequence number xor iv.",
    "5.2",
  ],
  "TLSCiphertext.ciphertext": ["As long as what is inside, and like random bytes to everybody without the key.", "5.2"],
  "TLSCiphertext.tag": [
    "16 bytes that only a holder of the key can make: one changed bit anywhere in the record, and it is refused.",
    "5.2",
  ],
  "TLSInnerPlaintext.content": ["What was sealed: a record's worth of messages or data.", "5.2"],
  "TLSInnerPlaintext.type": ["What the content really is: the first byte from the end that is not zero.", "5.2"],
  "TLSInnerPlaintext.zeros": ["Padding: as many zeros as the sender likes, to hide how long the content is.", "5.4"],
  "ChangeCipherSpec.value": [
    "Means nothing in TLS 1.3. It makes the handshake look like TLS 1.2 to machines on the way, and is thrown away.",
    "5",
  ],
  "Alert.level": [
    "1 warning, 2 fatal. TLS 1.3 does not look at it: the description alone says whether the connection is over.",
    "6",
  ],
  "Alert.description": ["Why: close_notify for a proper end, anything else for a failure.", "6"],
  "Application.data": ["The application's own bytes: TLS does not look into them.", "5"],

  /* handshake messages */
  "Handshake.msg_type": ["Which message this is.", "4"],
  "Handshake.length": ["How many bytes of the message follow these three: up to 2^24-1.", "4"],
  "ClientHello.legacy_version": [version, "4.2.2"],
  "ClientHello.random": [
    "32 fresh random bytes: with them every connection has its own keys, even when all else repeats.",
    "4.2.2",
  ],
  "ClientHello.legacy_session_id": [
    "Resumed sessions once. Now 32 random bytes for looks, which the server sends back.",
    "4.2.2",
  ],
  "ClientHello.cipher_suites": [
    "The AEAD and hash pairs that the client can do, the one it likes best first.",
    "4.2.2",
  ],
  "ClientHello.legacy_compression_methods": [
    "One zero byte: no compression. Compressing before encrypting gave secrets away.",
    "4.2.2",
  ],
  "ClientHello.extensions": [
    "All that is really negotiated in TLS 1.3 stands here. pre_shared_key must be last.",
    "4.2.2",
  ],
  "ServerHello.legacy_version": [version, "4.2.3"],
  "ServerHello.random": [
    "32 fresh random bytes; a fixed value marks a HelloRetryRequest, and certain last 8 bytes warn of a downgrade.",
    "4.2.3",
  ],
  "ServerHello.legacy_session_id_echo": ["The client's session id, sent back as it came.", "4.2.3"],
  "ServerHello.cipher_suite": ["The one that both use from now on, out of the client's list.", "4.2.3"],
  "ServerHello.legacy_compression_method": ["Zero: none.", "4.2.3"],
  "ServerHello.extensions": [
    "Only what is needed to make keys; all other answers come encrypted in EncryptedExtensions.",
    "4.2.3",
  ],
  "EncryptedExtensions.extensions": [
    "The server's answers that are not needed to make keys: the first message that is encrypted.",
    "4.4.1",
  ],
  "CertificateRequest.certificate_request_context": [
    "Empty in the handshake; later, it ties the answer to this request.",
    "4.4.2",
  ],
  "CertificateRequest.extensions": [
    "What the certificate has to be like; signature_algorithms is always among them.",
    "4.4.2",
  ],
  "Certificate.certificate_request_context": ["That of the request which this answers; empty for a server.", "4.5.1"],
  "Certificate.certificate_list": [
    "The sender's own certificate first, then those that lead to an authority the peer trusts.",
    "4.5.1",
  ],
  "Certificate.certificate_list.cert_data": [
    "A certificate in DER (X.509), or a bare public key when raw public keys were agreed.",
    "4.5.1",
  ],
  "Certificate.certificate_list.extensions": [
    "What goes with this certificate, such as a fresh word of its authority that it is not revoked.",
    "4.5.1",
  ],
  "CompressedCertificate.algorithm": ["How it is compressed: zlib (1), brotli (2) or zstd (3).", "RFC 8879 section 4"],
  "CompressedCertificate.uncompressed_length": [
    "How long the Certificate is without compression. The reader gives it no more memory than that.",
    "RFC 8879 section 4",
  ],
  "CompressedCertificate.compressed": [
    "A whole Certificate message, compressed.",
    "RFC 8879 section 4",
    "compressed_certificate_message",
  ],
  "CertificateVerify.algorithm": ["How it is signed: one of the schemes that the peer listed.", "4.5.2"],
  "CertificateVerify.signature": [
    "Over 64 spaces, a label that says whose it is, a zero, and the hash of all messages so far: the private key is there, now, for this handshake.",
    "4.5.2",
  ],
  "Finished.verify_data": [
    "An HMAC over the hash of the whole handshake: both have seen the same messages and have the same keys.",
    "4.5.3",
  ],
  "NewSessionTicket.ticket_lifetime": ["Seconds that the ticket is good for, at most 7 days.", "4.7.1"],
  "NewSessionTicket.ticket_age_add": [
    "A random number that the client adds to the ticket's age, so that nobody can link connections by it.",
    "4.7.1",
  ],
  "NewSessionTicket.ticket_nonce": [
    "Goes into the derivation: each ticket of a connection has a key of its own.",
    "4.7.1",
  ],
  "NewSessionTicket.ticket": [
    "What the client shows next time. Only the server can read it: often the session's state, sealed with a key of its own.",
    "4.7.1",
  ],
  "NewSessionTicket.extensions": ["early_data is here when the ticket allows 0-RTT data.", "4.7.1"],
  "KeyUpdate.value": [
    "0: I have new keys. 1: I have new keys, and you shall take some, too.",
    "4.7.3",
    "request_update",
  ],

  /* extensions: around all of them */
  "Extension.type": ["Which extension this is; each has its own messages to be in.", "4.3"],
  "Extension.extension_data": ["The extension's own structure.", "4.3"],

  /* extensions: each */
  "server_name.server_name_list": [
    "The host name that the client wants: one address may serve many names, each with its certificate.",
    "RFC 6066 section 3",
  ],
  "supported_groups.named_group_list": [
    "The groups for key exchange that the client can do, with or without a share for each.",
    "4.3.7",
  ],
  "supported_groups.element": [
    "A group: an elliptic curve, a finite field, or a hybrid with ML-KEM.",
    "4.3.7",
    "NamedGroup",
  ],
  "signature_algorithms.supported_signature_algorithms": [
    "Signatures that the sender can check in CertificateVerify, the best liked first.",
    "4.3.3",
  ],
  "signature_algorithms.element": [
    "A signature algorithm with its curve or padding and its hash.",
    "4.3.3",
    "SignatureScheme",
  ],
  "signature_algorithms_cert.supported_signature_algorithms": [
    "Signatures that the sender can check inside of certificates, when they are others than those.",
    "4.3.3",
  ],
  "signature_algorithms_cert.element": [
    "A signature algorithm with its curve or padding and its hash.",
    "4.3.3",
    "SignatureScheme",
  ],
  "application_layer_protocol_negotiation.protocol_name_list": [
    "What shall be spoken inside. The client lists, the server answers with one.",
    "RFC 7301 section 3.1",
  ],
  "application_layer_protocol_negotiation.ProtocolName": ["A protocol's registered name.", "RFC 7301 section 3.1"],
  "client_certificate_type.certificate_types": [
    "The kinds of certificate that the client can show: X.509, or a bare public key.",
    "RFC 7250 section 3",
  ],
  "client_certificate_type.value": [
    "The kind of certificate that the client shall show.",
    "RFC 7250 section 3",
    "client_certificate_type",
  ],
  "server_certificate_type.certificate_types": [
    "The kinds of certificate that the client takes of the server: X.509, or a bare public key.",
    "RFC 7250 section 3",
  ],
  "server_certificate_type.value": [
    "The kind of certificate that the server will show.",
    "RFC 7250 section 3",
    "server_certificate_type",
  ],
  "compress_certificate.algorithms": [
    "How a Certificate may be compressed on its way to the sender of this.",
    "RFC 8879 section 3",
  ],
  "compress_certificate.element": [
    "zlib (1), brotli (2) or zstd (3).",
    "RFC 8879 section 3",
    "CertificateCompressionAlgorithm",
  ],
  "record_size_limit.value": [
    "The most plaintext that the sender takes in a protected record, in bytes. In TLS 1.3 that is all of TLSInnerPlaintext: content, type byte and padding, 16,385 at most.",
    "RFC 8449 section 4",
    "record_size_limit",
  ],
  "pre_shared_key.identities": ["The keys that the client offers to go on with, by their names.", "4.3.11"],
  "pre_shared_key.identities.identity": [
    "A ticket as the server gave it out, or the name of a key that both were given beforehand.",
    "4.3.11",
  ],
  "pre_shared_key.identities.obfuscated_ticket_age": [
    "Milliseconds since the ticket came, plus ticket_age_add: the server sees whether the hello is fresh. 0 for an external key.",
    "4.3.11.1",
  ],
  "pre_shared_key.binders": [
    "A proof for each identity, in the same order; they cover the hello up to here.",
    "4.3.11.2",
  ],
  "pre_shared_key.binders.binder": [
    "An HMAC by a key of this PSK over the hello without the binders: who sends it has the PSK.",
    "4.3.11.2",
    "PskBinderEntry",
  ],
  "pre_shared_key.value": [
    "The place, from 0, of the identity that the server goes on with.",
    "4.3.11",
    "selected_identity",
  ],
  "psk_key_exchange_modes.ke_modes": [
    "Whether a PSK may be used alone (0), or with a fresh key exchange (1): only the second has forward secrecy.",
    "4.3.9",
  ],
  "early_data.value": [
    "The most bytes of 0-RTT data that the server takes with this ticket.",
    "4.3.10",
    "max_early_data_size",
  ],
  "supported_versions.versions": ["The versions that the client can really do.", "4.3.1"],
  "supported_versions.element": ["A version: 0x0304 is TLS 1.3.", "4.3.1", "ProtocolVersion"],
  "supported_versions.value": ["The version that is spoken from here on.", "4.3.1", "selected_version"],
  "cookie.cookie": [
    "Whatever the server wants to have back with the next hello: it can forget the client meanwhile.",
    "4.3.2",
  ],
  "key_share.client_shares": [
    "Public keys for the groups that the client guesses the server will take: a right guess saves a round trip.",
    "4.3.8",
  ],
  "key_share.group": ["Of which group the share is.", "4.3.8"],
  "key_share.key_exchange": [
    "A public value made for this connection. With the other's, it gives the shared secret that nobody on the way can compute.",
    "4.3.8",
  ],
  "key_share.value": ["The group of which the server wants a share instead.", "4.3.8", "selected_group"],
  "certificate_authorities.authorities": ["Names of authorities whose certificates will do.", "4.3.4"],
  "encrypted_client_hello.type": [
    "0, outer: what is meant is encrypted in it. 1, inner: the mark of what was.",
    "RFC 9849 section 5",
  ],
  "encrypted_client_hello.kdf": [
    "The KDF of HPKE that makes its keys, out of the configuration's list.",
    "RFC 9849 section 5",
    "kdf_id",
  ],
  "encrypted_client_hello.aead": ["The AEAD of HPKE that seals the payload.", "RFC 9849 section 5", "aead_id"],
  "encrypted_client_hello.config_id": [
    "Which of the server's keys it is for. Many servers may have the same: it tells nobody more than the public name.",
    "RFC 9849 section 5",
  ],
  "encrypted_client_hello.enc": [
    "A fresh public key of the client: with the private one of the configuration it gives the key. Empty in a second ClientHello, which goes on with the first one's.",
    "RFC 9849 section 5",
  ],
  "encrypted_client_hello.payload": [
    "ClientHelloInner, packed, padded and sealed. All of ClientHelloOuter around it is authenticated with it, with zeros in this place.",
    "RFC 9849 section 5.2",
  ],
  "encrypted_client_hello.value": [
    "In a HelloRetryRequest, 8 bytes that only who has ClientHelloInner can compute: the server has opened it.",
    "RFC 9849 section 7.2.1",
    "confirmation",
  ],
  "ECHConfigList.ECHConfigList": [
    "What a client may retry with, the best first: it counts once the server is known to be that of the public name.",
    "RFC 9849 section 6.1.6",
    "retry_configs",
  ],
  "ECHConfigList.version": ["0xfe0d: that of RFC 9849. Others are skipped.", "RFC 9849 section 4"],
  "ECHConfigList.contents": ["A key, and how it is to be used.", "RFC 9849 section 4"],
  "ECHConfigContents.config_id": ["A number by which the server finds the key again.", "RFC 9849 section 4"],
  "ECHConfigContents.kem": ["The KEM of HPKE that the public key is of.", "RFC 9849 section 4", "kem_id"],
  "ECHConfigContents.public_key": ["What ClientHelloInner is sealed for.", "RFC 9849 section 4"],
  "ECHConfigContents.cipher_suites": ["Pairs of a KDF and an AEAD of HPKE, the best first.", "RFC 9849 section 4"],
  "cipher_suites.kdf": ["A KDF of HPKE.", "RFC 9849 section 4", "kdf_id"],
  "cipher_suites.aead": ["An AEAD of HPKE.", "RFC 9849 section 4", "aead_id"],
  "ECHConfigContents.maximum_name_length": [
    "Bytes of the longest name behind the public one: shorter ones are padded to it.",
    "RFC 9849 section 4",
  ],
  "ECHConfigContents.public_name": ["The name that everybody sees instead.", "RFC 9849 section 4"],
  "ECHConfigContents.extensions": [
    "None here. One that a client does not know and must know makes it skip the configuration.",
    "RFC 9849 section 4.2",
  ],
  "ClientHello.element": [
    "A cipher suite: an AEAD for the records, and a hash for the schedule.",
    "appendix B.4",
    "CipherSuite",
  ],
}

/** What each extension is for: said of its type and of its data. */
const extensions: Readonly<Record<string, Row>> = {
  server_name: ["Which host the client wants; the server's empty answer: it was used.", "RFC 6066 section 3"],
  supported_groups: ["Groups for the key exchange.", "4.3.7"],
  signature_algorithms: ["Signatures that can be checked in CertificateVerify.", "4.3.3"],
  signature_algorithms_cert: ["Signatures that can be checked in certificates.", "4.3.3"],
  application_layer_protocol_negotiation: ["What is spoken inside of TLS.", "RFC 7301 section 3.1"],
  client_certificate_type: ["The kind of certificate of the client.", "RFC 7250 section 3"],
  server_certificate_type: ["The kind of certificate of the server.", "RFC 7250 section 3"],
  compress_certificate: ["Certificates may come compressed.", "RFC 8879 section 3"],
  record_size_limit: [
    "The most plaintext that is taken in a protected record: content, type byte and padding.",
    "RFC 8449 section 4",
  ],
  pre_shared_key: [
    "A key of an earlier connection, or from outside, to go on with. Always last in a ClientHello.",
    "4.3.11",
  ],
  psk_key_exchange_modes: ["How a pre-shared key may be used.", "4.3.9"],
  early_data: ["0-RTT: data in the first flight. In a ticket, how much of it.", "4.3.10"],
  supported_versions: ["The versions that can really be spoken.", "4.3.1"],
  cookie: ["What a server wants to have back, so that it need not remember.", "4.3.2"],
  certificate_authorities: ["Authorities that will do.", "4.3.4"],
  post_handshake_auth: [
    "The client may be asked for a certificate later. It is empty: that it is there says all.",
    "4.3.6",
  ],
  key_share: ["A public key for the key exchange.", "4.3.8"],
  encrypted_client_hello: [
    "Another ClientHello, sealed in this one; in EncryptedExtensions, what to seal the next one for.",
    "RFC 9849 section 5",
  ],
}

/** undefined: there are no words for it yet. */
export function meaningOf(field: Field, around: readonly Field[] = []): Meaning | undefined {
  const { kind } = field
  if (field.structure.startsWith("MQTT ")) {
    return { name: field.name, text: `A part of the ${field.structure} packet.`, section: "MQTT 3.1.1" }
  }
  const structure = field.structure.replace(/^\w+\.extensions$/, "Extension")
  // The name of a handshake message inside of a record.
  if (structure === "Handshake" && /^[A-Z]/.test(field.name)) {
    return { name: field.name, text: "A handshake message: its header, and its body.", section: "RFC 9846 section 4" }
  }
  const name = kind === "element" ? "element" : field.name === "" ? "value" : field.name
  const row = extensionRow(structure, field, around) ?? rows[`${structure}.${name}`]
  if (row === undefined) return undefined
  const [text, section, called = field.name] = row
  const meaning = { name: called, text, section: section.startsWith("RFC") ? section : sectionOf(section) }
  if (kind !== "length") return meaning
  return { ...meaning, name: `length of ${called}`, text: `How many bytes of ${called} follow. ${text}` }
}

function extensionRow(structure: string, field: Field, around: readonly Field[]): Row | undefined {
  if (structure !== "Extension") return undefined
  const type = field.name === "type" ? field : around.findLast(({ name, end }) => name === "type" && end <= field.start)
  if (type?.value === undefined) return undefined
  return extensions[codePointName(ExtensionType, type.value)]
}

function sectionOf(section: string): string {
  return section.startsWith("appendix") ? `RFC 9846 ${section}` : `RFC 9846 section ${section}`
}

/** An alert in our own words, by its name. */
export const alerts: Readonly<Partial<Record<AlertName, string>>> = {
  close_notify: "I have nothing more to say.",
  unexpected_message: "This message has no place here.",
  bad_record_mac: "This record does not open: it was changed, or is not for this place or key.",
  record_overflow: "This record is too long.",
  handshake_failure: "We have nothing in common to go on with.",
  bad_certificate: "This certificate is broken, or not for this name.",
  certificate_expired: "This certificate is not valid at this time.",
  illegal_parameter: "This value must not be here.",
  unknown_ca: "I trust no authority that vouches for this certificate.",
  decode_error: "This message is not as it should be written.",
  decrypt_error: "This signature, Finished or binder is wrong.",
  protocol_version: "I do not speak this version.",
  missing_extension: "An extension is missing that has to be there.",
  unknown_psk_identity: "I do not know this pre-shared key.",
  certificate_required: "I need a certificate of you.",
}
