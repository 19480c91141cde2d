// Entry `@puremq/tls13/explore`: the inside of the stack for programs that show it (the explorer, a lesson, a notebook). None of it is
// needed to speak TLS. What is here may change with any version.

export {
  CipherSuite,
  ContentType,
  codePointName,
  ExtensionType,
  HandshakeType,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
  SignatureScheme,
} from "../bytes/code-points.ts"
export { copyOf } from "../bytes/copy.ts"
export { equalBytes } from "../bytes/equal.ts"
export { fromHex, toHex } from "../bytes/hex.ts"
export { Reader } from "../bytes/reader.ts"
export { Writer } from "../bytes/writer.ts"
export { decodeCertificate } from "../codec/certificate.ts"
export { certificateVerifyContent, decodeCertificateVerify } from "../codec/certificate-verify.ts"
export { type ClientHello, decodeClientHello, truncateBinders } from "../codec/client-hello.ts"
export { decodeCompressedCertificate } from "../codec/compressed-certificate.ts"
export { decodeEncryptedExtensions } from "../codec/encrypted-extensions.ts"
export type { KeyShareEntry } from "../codec/extensions/key-share.ts"
export { type HandshakeMessage, handshakeMessage } from "../codec/message.ts"
export { decodeNewSessionTicket, type NewSessionTicket } from "../codec/new-session-ticket.ts"
export { decodeServerHello } from "../codec/server-hello.ts"
export { decodeEchOuter, type EchOuter } from "../ech/client-hello.ts"
export { decodeEchConfigList, type EchConfig } from "../ech/config.ts"
export { confirmation, serverHelloSignal } from "../ech/confirmation.ts"
export { encodeInner } from "../ech/inner.ts"
export { extensionOf, type RawClientHello, rawHelloOf, readRawHello } from "../ech/raw-hello.ts"
export {
  clientTransitions,
  type Role,
  type StateName,
  serverTransitions,
  type TransitionRow,
  transitions,
} from "../handshake/transitions.ts"
export { HandshakeJoiner } from "../record/handshake-joiner.ts"
export { RecordProtection } from "../record/protection.ts"
export { EarlyStage } from "../schedule/key-schedule.ts"
export { hkdfExpandLabel, hkdfExtract, hkdfLabel } from "../schedule/labels.ts"
export { finishedMac, nextTrafficSecret, resumptionPsk, trafficKeys } from "../schedule/traffic.ts"
export { Transcript } from "../schedule/transcript.ts"
export { Der } from "../x509/der/der.ts"
export { Tag } from "../x509/named-constants.ts"
