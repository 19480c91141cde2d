// biome-ignore-all lint/suspicious/noEmptyInterface: each extension adds what it is to the messages that may have it
// The messages that have extensions (RFC 9846 section 4.3), by the letters of the RFC's table. What may stand in them is said by
// the extensions themselves: each file beside this one declares for its own what it is in which message.

/** CH. pre_shared_key stands last, as it must on the wire (section 4.3.11). */
export interface ClientHelloExtensions {}
/** SH */
export interface ServerHelloExtensions {}
/** HRR */
export interface HelloRetryRequestExtensions {}
/** EE */
export interface EncryptedExtensionsExtensions {}
/** CT: those of one CertificateEntry */
export interface CertificateEntryExtensions {}
/** CR */
export interface CertificateRequestExtensions {}
/** NST */
export interface NewSessionTicketExtensions {}

export interface MessageExtensions {
  readonly CH: ClientHelloExtensions
  readonly SH: ServerHelloExtensions
  readonly HRR: HelloRetryRequestExtensions
  readonly EE: EncryptedExtensionsExtensions
  readonly CT: CertificateEntryExtensions
  readonly CR: CertificateRequestExtensions
  readonly NST: NewSessionTicketExtensions
}

export type MessageWithExtensions = keyof MessageExtensions
